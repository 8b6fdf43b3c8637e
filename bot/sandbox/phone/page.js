"use strict";

const $ = (id) => document.getElementById(id);
const address = new URLSearchParams(location.search);
const chat = $("chat"), words = $("words");
const drawn = new Map(); // message id -> [what it was drawn from, its element]
let socket, seat, menu = [], about = null; // about: what is answered or edited
let toasted; // the timer of the toast
let following = true; // the newest message is in sight

function make(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

// Only escaped words and the sandbox's own tags are in `html`.
function bubble(message, all) {
  const inner = make("div", "bubble");
  if (!message.mine) inner.append(make("div", "author", message.author));
  const answered = all.find((each) => each.id === message.replyTo);
  if (answered) inner.append(make("div", "quote", answered.text || answered.file?.name || "…"));
  if (message.file) inner.append(attachment(message.file));
  const text = make("div", message.rich ? "words rich" : "words");
  text.innerHTML = message.html;
  if (!message.rich) text.querySelectorAll("pre, blockquote").forEach(closeGaps);
  text.querySelectorAll("blockquote.folded, .command").forEach((each) => {
    each.role = "button";
    each.tabIndex = 0;
    if (each.matches(".folded")) each.ariaExpanded = "false";
  });
  inner.append(text);
  if (message.edited && !message.byBot) inner.append(make("div", "note", say("edited")));
  return inner;
}

// A block begins and ends a line by itself: the line breaks beside it would show as empty lines.
function closeGaps(block) {
  const before = block.previousSibling, after = block.nextSibling;
  if (before?.nodeType === Node.TEXT_NODE) before.data = before.data.replace(/\n$/, "");
  if (after?.nodeType === Node.TEXT_NODE) after.data = after.data.replace(/^\n/, "");
}

function attachment(file) {
  const tag = { photo: "img", sticker: "img", voice: "audio", audio: "audio", video: "video" }[file.kind];
  const element = make(tag ?? "a");
  if (tag) element.src = file.url;
  else { element.href = file.url; element.textContent = `📄 ${file.name}`; }
  if (tag === "audio" || tag === "video") element.controls = true;
  if (tag === "img") {
    element.alt = file.name;
    element.onload = () => { if (following) scrollToEnd(); };
  }
  return element;
}

function keys(message) {
  const rows = make("div", "keys");
  message.buttons.forEach((labels, row) => {
    const line = make("div");
    labels.forEach((label, column) => {
      const key = make("button", "", label);
      key.onclick = () => tell({ press: message.id, row, column });
      line.append(key);
    });
    rows.append(line);
  });
  return rows;
}

function tools(message) {
  const line = make("div", "tools");
  const add = (label, what) => {
    const key = make("button", "", label);
    key.onclick = () => setAbout(what, JSON.parse(drawn.get(String(message.id))[0]));
    line.append(key);
  };
  add(`↩ ${say("reply")}`, "reply");
  if (message.mine && message.text) add(`✎ ${say("edit")}`, "edit");
  return line;
}

// Makes what stands look like what is drawn afresh, and leaves alone what is the same: the focus, a
// selection, a sound that plays, and what was unfolded stay.
function become(standing, fresh) {
  if (standing.nodeType === Node.TEXT_NODE && fresh.nodeType === Node.TEXT_NODE) {
    const grown = fresh.data.startsWith(standing.data);
    if (grown) standing.appendData(fresh.data.slice(standing.data.length));
    else standing.data = fresh.data;
  } else if (isAlike(standing, fresh)) {
    const olds = [...standing.childNodes], news = [...fresh.childNodes];
    olds.slice(news.length).forEach((child) => child.remove());
    news.forEach((child, at) => { if (olds[at]) become(olds[at], child); else standing.append(child); });
  } else standing.replaceWith(fresh);
}

// A key with another label is another key: it must not take the press that was meant for the first.
function isAlike(standing, fresh) {
  if (standing.nodeName !== fresh.nodeName) return false;
  if (standing.nodeName === "BUTTON") return standing.isEqualNode(fresh);
  const bare = [standing, fresh].map((element) => element.cloneNode());
  for (const element of bare) ["open", "aria-expanded"].forEach((name) => element.removeAttribute(name));
  return bare[0].isEqualNode(bare[1]);
}

function draw(screen) {
  const focused = document.activeElement;
  document.title = `${screen.title} – Chinwag sandbox`;
  $("title").textContent = screen.title;
  $("status").textContent = screen.typing ? `${say(screen.typing)}…` : say("bot");
  chat.ariaBusy = String(Boolean(screen.typing || screen.draft)); // read out when it is whole
  menu = screen.menu;
  const here = new Set(screen.messages.map((message) => String(message.id)));
  for (const [id, [, element]] of drawn) if (!here.has(id)) { element.remove(); drawn.delete(id); }
  let before = null;
  const newest = Math.max(...drawn.keys(), 0);
  for (const message of screen.messages) {
    const id = String(message.id), from = JSON.stringify(message);
    const [old, standing] = drawn.get(id) ?? [];
    let element = standing;
    if (old !== from) {
      element = make("div", message.mine ? "message mine" : "message");
      element.append(bubble(message, screen.messages));
      if (message.buttons.length) element.append(keys(message));
      element.append(tools(message));
      if (standing) {
        become(standing, element);
        element = standing;
      } else if (before) before.after(element);
      else chat.prepend(element);
      drawn.set(id, [from, element]);
    }
    before = element;
  }
  const isNew = screen.messages.some((message) => message.id > newest);
  if (isNew || (screen.draft && !document.querySelector(".draft"))) $("newest").hidden = following;
  drawDraft(screen.draft);
  if (!focused.isConnected) chat.focus({ preventScroll: true }); // the key is gone: stay near it
  if (following) scrollToEnd();
}

function follow() { setFollowing(true); scrollToEnd(); }

function setFollowing(now) {
  following = now;
  if (following) $("newest").hidden = true;
}

function scrollToEnd() { chat.scrollTop = chat.scrollHeight; }

function drawDraft(draft) {
  const standing = document.querySelector(".draft");
  if (!draft) return standing?.remove();
  const element = make("div", "message draft");
  element.append(bubble({ mine: true, html: draft.html, rich: draft.rich }, []));
  if (draft.stop) {
    const rows = make("div", "keys"), key = make("button", "", `⏹ ${say("Stop")}`);
    key.onclick = () => tell({ stop: true });
    rows.append(key);
    element.append(rows);
  }
  if (standing) become(standing, element);
  else chat.append(element);
}

function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toasted);
  toasted = setTimeout(() => { $("toast").hidden = true; }, 3000);
}

function setAbout(what, message) {
  about = what ? { what, id: message.id } : null;
  $("about").hidden = !what;
  if (!what) return;
  $("about").firstElementChild.textContent = `${what === "edit" ? "✎" : "↩"} ${message.text.slice(0, 80)}`;
  if (what === "edit") words.value = message.text;
  words.focus();
}

// False when nobody hears it: what was typed must stay.
function tell(what) {
  const heard = socket?.readyState === WebSocket.OPEN;
  if (heard) socket.send(JSON.stringify(what));
  else toast(say("Not connected. Try again in a moment."));
  return heard;
}

function send() {
  const text = words.value;
  if (!text.trim()) return;
  const edits = about?.what === "edit";
  if (!tell(edits ? { edit: about.id, text } : { send: text, replyTo: about?.id ?? null })) return;
  if (!edits) follow();
  words.value = "";
  setAbout(null);
  suggest();
}

function suggest() {
  const typed = words.value.match(/^\/(\w*)$/);
  const found = typed ? menu.filter((each) => each.name.startsWith(typed[1])) : [];
  $("menu").replaceChildren(...found.map((each) => {
    const key = make("button");
    key.append(make("b", "", `/${each.name}`), make("span", "", each.summary));
    key.onclick = () => { words.value = `/${each.name}`; words.focus(); send(); };
    return key;
  }));
  $("menu").hidden = !found.length;
}

async function upload(content, query) {
  const type = content.type || "application/octet-stream";
  const url = `/upload/${seat}?${new URLSearchParams(query)}`;
  const order = { method: "POST", body: content, headers: { "Content-Type": type } };
  const answer = await fetch(url, order).catch(() => null);
  if (!answer) toast(say("Not connected. Try again in a moment."));
  else if (!answer.ok) toast(answer.status === 413 ? say("That file is too large.") : say("That did not work."));
  else follow();
  return Boolean(answer?.ok);
}

async function record() {
  const key = $("voice");
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
    upload(new Blob(parts, { type: recorder.mimeType }), { kind: "voice", seconds });
  };
  key.classList.add("recording");
  recorder.start();
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/live/${seat}`);
  socket.onmessage = (event) => {
    const news = JSON.parse(event.data);
    if (news.screen) draw(news.screen);
    if (news.toast) toast(news.toast);
  };
  socket.onclose = () => {
    $("status").textContent = say("The demo has ended; waiting for it to come back…");
    setTimeout(connect, 1000);
  };
}

async function begin() {
  const seats = await (await fetch("/seats")).json();
  const here = seats.find((each) => each.name === address.get("seat")) ?? seats[0];
  seat = here.name;
  document.documentElement.lang = here.language;
  translate();
  document.body.classList.toggle("still", address.has("still"));
  $("seats").append(...seats.map((each) => {
    const link = make("a", each.name === seat ? "here" : "", each.title);
    link.href = `?seat=${each.name}`;
    if (each.name === seat) link.ariaCurrent = "page";
    return link;
  }));
  document.querySelector("nav .here").scrollIntoView({ inline: "nearest", block: "nearest" });
  if (address.has("still")) {
    draw(await (await fetch(`/screen/${seat}`)).json());
    await document.fonts.ready; // they change the heights
    scrollToEnd();
  }
  else connect();
}

$("composer").onsubmit = (event) => { event.preventDefault(); send(); };
words.oninput = suggest;
words.onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  if (event.key === "ArrowUp" && !$("menu").hidden) { event.preventDefault(); $("menu").lastChild.focus(); }
  if (event.key === "Escape") { setAbout(null); $("menu").hidden = true; }
};
$("menu").onkeydown = (event) => {
  const key = document.activeElement;
  const next = { ArrowUp: key.previousSibling, ArrowDown: key.nextSibling ?? words, Escape: words }[event.key];
  if (!next) return;
  event.preventDefault();
  next.focus();
};
$("about").lastElementChild.onclick = () => { words.value = ""; setAbout(null); };
$("attach").onclick = () => $("file").click();
$("file").onchange = async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  const caption = words.value;
  words.value = "";
  if (file && !(await upload(file, { name: file.name, caption })) && !words.value) words.value = caption;
};
$("voice").onclick = record;
$("newest").onclick = () => { chat.focus({ preventScroll: true }); follow(); };
chat.onscroll = () => {
  setFollowing(chat.scrollHeight - chat.scrollTop - chat.clientHeight < 80);
};
chat.onclick = (event) => {
  const folded = event.target.closest("blockquote.folded");
  if (folded) folded.ariaExpanded = String(folded.ariaExpanded !== "true");
  if (event.target.matches(".command") && tell({ send: event.target.textContent })) follow();
};
chat.onkeydown = (event) => {
  if (!event.target.matches("[role=button]") || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  event.target.click();
};
begin();
