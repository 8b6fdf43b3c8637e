"use strict";

// Where somebody writes: words, a file, a voice message; above them stands what may be meant.
//   send(text)             false when nobody hears it: then it stays
//   sendFile(content, q)   the same, later; q says its `name` and `caption`, or its `kind`
//   meant(text)            what may be meant: { text, summary, whole, sends }
//   leave()                somebody pressed Escape
function composer(box, { send, sendFile, meant, leave }) {
  const menu = make("div", "menu"), form = make("form"), words = make("textarea");
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
  box.append(menu, form, file);

  function submit() {
    if (!words.value.trim() || !send(words.value)) return;
    words.value = "";
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
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
    if (event.key === "ArrowUp" && !menu.hidden) { event.preventDefault(); menu.lastChild.focus(); }
    if (event.key === "Escape" && !menu.hidden) menu.hidden = true;
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
  return words;
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
