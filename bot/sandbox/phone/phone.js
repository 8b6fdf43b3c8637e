"use strict";

const chat = $("chat");
let seat, log, words, about, menu = [], mine = []; // mine: what somebody has said that can be changed

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
  if (message.at) inner.append(when(message));
  return inner;
}

function when(message) {
  const line = make("div", "when");
  if (message.edited && !message.byBot) line.append(make("span", "note", say("edited")));
  line.append(timeOf(message.at));
  return line;
}

// A block begins and ends a line by itself: the line breaks beside it would show as empty lines.
function closeGaps(block) {
  const before = block.previousSibling, after = block.nextSibling;
  if (before?.nodeType === Node.TEXT_NODE) before.data = before.data.replace(/\n$/, "");
  if (after?.nodeType === Node.TEXT_NODE) after.data = after.data.replace(/^\n/, "");
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
  const now = () => JSON.parse(log.drawn.get(String(message.id))[0]);
  const add = (label, act) => {
    const key = make("button", "", label);
    key.onclick = act;
    line.append(key);
  };
  add(`↩ ${say("reply")}`, () => about.set("reply", now()));
  if (isOwn(message)) add(`✎ ${say("edit")}`, () => about.set("edit", now()));
  if (message.deletable) add(`🗑 ${say("delete")}`, () => {
    if (confirm(say("Delete this message?"))) tell({ delete: message.id });
  });
  return line;
}

function entry(message, all) {
  const element = make("div", message.mine ? "message mine" : "message");
  element.append(bubble(message, all));
  if (message.buttons.length) element.append(keys(message));
  element.append(tools(message));
  return element;
}

// What the bot is writing, before it is a message.
function preview(draft) {
  const element = make("div", "message draft");
  element.append(bubble({ mine: true, html: draft.html, rich: draft.rich }, []));
  if (draft.stop) {
    const rows = make("div", "keys"), key = make("button", "", `⏹ ${say("Stop")}`);
    key.onclick = () => tell({ stop: true });
    rows.append(key);
    element.append(rows);
  }
  return element;
}

function draw(screen) {
  document.title = `${screen.title} – Chinwag sandbox`;
  $("title").textContent = screen.title;
  $("status").textContent = screen.typing ? say("typing…") : say("bot");
  chat.ariaBusy = String(Boolean(screen.typing || screen.draft)); // read out when it is whole
  menu = screen.menu;
  mine = screen.messages.filter(isOwn);
  const items = screen.draft ? [...screen.messages, screen.draft] : screen.messages;
  log.show(items, (item) => String(item.id ?? "draft"),
    (item) => item === screen.draft ? preview(item) : entry(item, screen.messages));
}

function send(text) {
  const edits = about.what === "edit", id = about.message?.id ?? null;
  if (!tell(edits ? { edit: id, text } : { send: text, replyTo: id })) return false;
  if (!edits) log.follow();
  return true;
}

async function sendFile(content, query) {
  const isSent = await upload(content, `/upload/${seat.name}`, query);
  if (isSent) log.follow();
  return isSent;
}

function meant(text) {
  const typed = text.match(/^\/(\w*)$/);
  const found = typed ? menu.filter((each) => each.name.startsWith(typed[1])) : [];
  return found.map((each) => ({ text: `/${each.name}`, summary: each.summary, sends: true }));
}

async function begin() {
  seat = await chooseSeat("/seats");
  log = chatlog(chat);
  const given = { send, sendFile, meant, leave: () => {}, newest: () => mine.at(-1) };
  ({ words, about } = composer($("composer"), given));
  words.focus();
  if (!seat.still) return connect(`/live/${seat.name}`, draw);
  draw(await (await fetch(`/screen/${seat.name}`)).json());
  await document.fonts.ready; // they change the heights
  log.follow();
}

chat.onclick = (event) => {
  const folded = event.target.closest("blockquote.folded");
  if (folded) folded.ariaExpanded = String(folded.ariaExpanded !== "true");
  if (event.target.matches(".command") && tell({ send: event.target.textContent })) log.follow();
};
chat.onkeydown = (event) => {
  if (!event.target.matches("[role=button]") || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  event.target.click();
};
begin();
