"use strict";

// Where somebody writes: words, a file, a voice message; above them stands what may be meant.
//   send(text)             false when nobody hears it: then it stays
//   sendFile(content, q)   the same, later; q says its `name` and `caption`, or its `kind`
//   meant(text)            what may be meant: { text, summary, whole, sends }
//   leave()                somebody pressed Escape
//   newest()               one's own newest message, which the arrow upwards changes
// Returns where they write, and the line above it: which message they answer or change.
function composer(box, { send, sendFile, meant, leave, newest }) {
  const menu = make("div", "menu"), form = make("form"), words = make("textarea");
  const about = aboutLine(words);
  const attach = signKey("attach", "📎", say("Send a file")), file = make("input");
  const voice = signKey("voice", "🎤", say("Record a voice message"));
  menu.role = "group";
  menu.ariaLabel = say("Suggestions");
  words.rows = 1;
  words.placeholder = words.ariaLabel = say("Message");
  attach.type = voice.type = "button";
  file.type = "file";
  menu.hidden = file.hidden = true;
  form.append(attach, words, voice, signKey("send", "➤", say("Send")));
  box.append(menu, about.line, form, file);

  function submit() {
    if (!words.value.trim() || !send(words.value)) return;
    if (about.what !== "edit") words.value = "";
    about.drop();
    suggest();
  }

  function suggest() {
    const found = meant(words.value);
    menu.replaceChildren(...found.map((each) => {
      const key = make("button");
      key.type = "button";
      key.append(make("b", "", each.text), make("span", "", each.summary));
      key.onclick = () => {
        words.value = each.whole ?? each.text;
        words.focus();
        if (each.sends) submit();
        else suggest();
      };
      return key;
    }));
    menu.hidden = !found.length;
  }

  form.onsubmit = (event) => { event.preventDefault(); submit(); };
  words.oninput = suggest;
  words.onkeydown = (event) => {
    if (isComposing(event)) return;
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); submit(); }
    if (event.key === "ArrowUp" && !menu.hidden) { event.preventDefault(); menu.lastChild.focus(); }
    else if (event.key === "ArrowUp" && !words.value && newest()) {
      event.preventDefault();
      about.set("edit", newest());
    }
    if (event.key === "Escape" && !menu.hidden) menu.hidden = true;
    else if (event.key === "Escape" && about.what) about.drop();
    else if (event.key === "Escape") leave();
  };
  menu.onkeydown = (event) => {
    const key = document.activeElement;
    const next = { ArrowUp: key.previousSibling, ArrowDown: key.nextSibling ?? words, Escape: words }[event.key];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  attach.onclick = () => file.click();
  file.onchange = async () => {
    const [given] = file.files, caption = words.value;
    file.value = "";
    if (!given) return;
    words.value = "";
    if (!(await sendFile(given, { name: given.name, caption })) && !words.value) words.value = caption;
  };
  voice.onclick = () => record(voice, (sound, seconds) => sendFile(sound, { kind: "voice", seconds }));
  return { words, about };
}

// A key that is still a part of writing Chinese; Safari ends that before it tells of the Enter.
function isComposing(event) { return event.isComposing || event.keyCode === 229; }

// Whether somebody has said words that they can change.
function isOwn(message) { return message.mine && Boolean(message.text); }

// Says which message is answered or changed: `what` is "reply" or "edit".
function aboutLine(words) {
  const line = make("div", "about"), shown = make("span"), key = signKey("", "✕", say("Never mind"));
  const here = { line, what: null, message: null };
  let begun = ""; // what stood there before a message was to be changed
  key.type = "button";
  line.hidden = true;
  line.append(shown, key);
  here.set = (what, message) => {
    here.drop();
    Object.assign(here, { what, message });
    line.hidden = false;
    shown.textContent = `${what === "edit" ? "✎" : "↩"} ${message.text.slice(0, 80)}`;
    if (what === "edit") [begun, words.value] = [words.value, message.text];
    words.focus();
  };
  here.drop = () => {
    if (here.what === "edit") words.value = begun;
    Object.assign(here, { what: null, message: null });
    line.hidden = true;
  };
  key.onclick = () => { here.drop(); words.focus(); };
  return here;
}

// Records until the key is pressed again; `done` is given the sound and its length.
async function record(key, done) {
  if (key.recorder) return key.recorder.stop();
  let sound;
  try { sound = await navigator.mediaDevices.getUserMedia({ audio: true }); }
  catch { return toast(say("No microphone here. Send a sound file with 📎 instead.")); }
  const recorder = key.recorder = new MediaRecorder(sound), began = Date.now(), parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = () => {
    sound.getTracks().forEach((track) => track.stop());
    key.recorder = null;
    key.classList.remove("recording");
    const seconds = Math.max(1, Math.round((Date.now() - began) / 1000));
    done(new Blob(parts, { type: recorder.mimeType }), seconds);
  };
  key.classList.add("recording");
  recorder.start();
}
