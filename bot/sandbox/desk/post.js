"use strict";

// One message of a room or of a thread. `act(what)` does something in its room, `change(ts)`
// lets its author write it anew, `thread` leads to it.
function post(message, { act, change, thread }) {
  const element = make("article", "post"), body = make("div", "body");
  const sign = message.byBot ? "💬" : message.deleted ? "🗑" : [...message.author][0];
  const face = make("div", message.byBot || message.deleted ? "face bot" : "face", sign);
  face.ariaHidden = "true";
  element.append(face, body);
  body.append(byline(message));
  if (message.deleted) body.append(make("div", "words gone", say("This message was deleted.")));
  if (message.html) {
    const words = make("div", "words"); // only escaped words and the sandbox's own tags are in it
    words.innerHTML = message.html;
    body.append(words);
  }
  body.append(...message.files.map(attachment));
  body.append(...keys(message, act));
  if (message.thumbs) body.append(thumbs(message, act));
  if (thread && (message.replies || message.work)) body.append(below(message, act, thread));
  element.append(tools(message, { act, change, thread }));
  return element;
}

function byline(message) {
  const line = make("div", "by");
  if (!message.deleted) line.append(make("b", "", message.author));
  if (message.byBot) line.append(make("span", "app", say("APP")));
  if (message.onlyYou) line.append(make("span", "note", say("Only visible to you")));
  line.append(timeOf(message.at));
  const isChanged = message.edited && !message.byBot && !message.deleted;
  if (isChanged) line.append(make("span", "note", say("edited")));
  return line;
}

// What can be done about a message: answer it in its thread, and one's own can be changed.
function tools(message, { act, change, thread }) {
  const line = make("div", "tools");
  if (thread) {
    const link = make("a", "", "💬");
    link.append(make("span", "", ` ${say("Reply in thread")}`));
    link.title = link.ariaLabel = say("Reply in thread");
    link.href = thread;
    line.append(link);
  }
  const add = (sign, title, does) => {
    const key = signKey("", sign, title);
    key.onclick = does;
    line.append(key);
  };
  if (isOwn(message)) add("✎", say("Edit"), () => change(message.ts));
  if (message.mine) add("🗑", say("Delete"), () => {
    if (confirm(say("Delete this message?"))) act({ delete: message.ts });
  });
  line.hidden = !line.childElementCount;
  return line;
}

function keys(message, act) {
  let number = 0;
  return message.buttons.map((labels) => {
    const row = make("div", "keys");
    row.append(...labels.map((label) => {
      const key = make("button", "", label), press = { press: message.ts, number: number++ };
      key.onclick = () => act(press);
      return key;
    }));
    return row;
  });
}

function thumbs(message, act) {
  const row = make("div", "thumbs");
  for (const [sign, title, good] of [["👍", say("Good answer"), true], ["👎", say("Bad answer"), false]]) {
    const key = signKey("", sign, title);
    key.onclick = () => act({ rate: message.ts, good });
    row.append(key);
  }
  return row;
}

// Under a message in a room: what was answered to it, and the way there.
function below(message, act, thread) {
  const line = make("div", "under"), link = make("a");
  link.textContent = message.replies === 1 ? say("1 reply") : `${message.replies} ${say("replies")}`;
  link.href = thread;
  if (message.work) line.append(work(message, act));
  if (message.replies) line.append(link);
  return line;
}

// What the bot does in a thread, with Slack's own Stop. `bot` is its name.
function work(root, act) {
  const line = make("div", "work"), doing = root.work.writes ? say("is writing…") : say("is thinking…");
  line.append(make("span", "", `${root.bot} ${root.work.status || doing}`));
  if (root.work.stop) {
    const key = make("button", "", `⏹ ${say("Stop")}`);
    key.onclick = () => act({ stop: true, thread: root.ts });
    line.append(key);
  }
  return line;
}

// What stands in a room before anything is said there: how to begin. `pick` takes what is offered.
function greeting(room, pick) {
  const element = make("div", "greeting"), row = make("div", "keys");
  const hint = room.direct ? room.greeting : say("Write @Chinwag and your question.");
  element.append(make("div", "face bot", "💬"), make("b", "", hint));
  row.append(...room.prompts.map((title) => {
    const key = make("button", "", title);
    key.onclick = () => pick(title);
    return key;
  }));
  element.append(row);
  return element;
}
