"use strict";

// The address says what is looked at: #ROOM, or #ROOM/ROOT for a thread.

let seat, world; // world: what the server showed last
let room, root; // what is looked at
let awaited = null; // where something was asked whose answer is to be shown: { room, after }
const read = new Map(), links = new Map(); // by room: the newest message that was in sight; its link
const panes = {};

// A log with a composer below it; `place` is where they are: { room, thread }.
function pane(id, place) {
  const element = $(id), log = chatlog(element.querySelector(".log"));
  const act = (what) => tell({ ...place(), ...what });
  const asked = (isSent) => {
    if (!isSent) return false;
    awaited = place().thread ? null : { room: room.id, after: newest(room) };
    log.follow();
    return true;
  };
  const isEdit = () => about.what === "edit";
  const { words, about } = composer(element.querySelector(".composer"), {
    send: (text) => isEdit() ? act({ edit: about.message.ts, text }) : asked(write(text, place(), act)),
    sendFile: async (content, query) =>
      asked(await upload(content, `/slack/upload/${seat.name}`, { ...place(), ...query })),
    meant: (text) => meant(text, place()),
    leave: () => { if (place().thread) location.hash = room.id; },
    newest: () => said(place()).filter(isOwn).at(-1),
  });
  const change = (ts) => about.set("edit", room.messages.find((each) => each.ts === ts));
  return { element, log, words, act, asked, about, change };
}

// What is said in a room outside of its threads, or in one of them.
function said({ thread }) {
  return room.messages.filter((each) => thread ? thread === each.ts || thread === each.thread : !each.thread);
}

// Slack takes slash commands as such, nowhere in threads, and none that it does not know.
function write(text, { thread }, act) {
  const [command] = text.match(/^\/\w\S*/) ?? [];
  if (!command) return act({ send: text });
  const isKnown = world.commands.some((each) => each.name === command);
  if (!thread && isKnown) return act({ slash: text });
  if (thread) toast(say("Slack takes no slash commands in threads. Write ! instead of /."));
  else toast(say("Slack does not know this command."));
  return false;
}

function meant(text, { thread }) {
  const [name] = text.match(/@[^\s@]*$/) ?? [];
  if (name) {
    const found = world.mentioned.filter((each) => `@${each}`.toLowerCase().startsWith(name.toLowerCase()));
    return found.map((each) => ({
      text: `@${each}`, summary: each === world.bot ? say("bot") : "",
      whole: `${text.slice(0, -name.length)}@${each} `,
    }));
  }
  if (thread || !/^\/\w*$/.test(text)) return [];
  const found = world.commands.filter((each) => each.name.startsWith(text));
  return found.map((each) => ({ text: each.name, summary: each.summary, sends: true }));
}

// What is no message has a key of its own.
function keyOf({ key, ts }) { return key ?? ts; }

function newest({ messages }) { return messages.at(-1)?.ts ?? ""; }

function draw() {
  const [id, ts] = location.hash.slice(1).split("/"), before = { room: room?.id, root: root?.ts };
  room = world.rooms.find((each) => each.id === id) ?? world.rooms.find((each) => each.direct);
  root = room.messages.find((each) => each.ts === ts && !each.thread);
  document.title = `${world.person} – Chinwag sandbox`;
  drawRooms();
  drawRoom(before.room !== room.id);
  drawThread(before.room !== room.id || before.root !== root?.ts);
  const isOpened = root && before.room && before.root !== root.ts;
  if (isOpened && !panes.room.words.value) (awaited ? panes.thread.words : panes.thread.log.log).focus();
  showAwaited();
}

function drawRooms() {
  for (const each of world.rooms) {
    if (!links.has(each.id)) {
      const link = make("a", "", each.direct ? `💬 ${world.bot}` : `# ${each.name}`);
      link.append(make("span", "new", say("new")));
      link.href = `#${each.id}`;
      links.set(each.id, link);
      read.set(each.id, newest(each));
      $("rooms").append(link);
    }
    if (each === room) read.set(each.id, newest(each));
    links.get(each.id).ariaCurrent = each === room ? "page" : null;
    links.get(each.id).lastChild.hidden = newest(each) === read.get(each.id);
  }
}

function drawRoom(isOther) {
  const { log, act, asked, about, change } = panes.room;
  if (isOther) {
    log.clear();
    about.drop();
    if (room.direct && !seat.still) tell({ open: "direct" });
  }
  $("title").textContent = room.direct ? world.bot : `# ${room.name}`;
  $("status").textContent = room.direct ? say("bot") : people().format([world.person, ...world.mentioned]);
  const items = said({}).map((each) => ({ ...each, bot: world.bot }));
  if (!room.messages.length) items.push({ ...room, key: "greeting" });
  log.log.ariaBusy = String(items.some((each) => each.work)); // read out when it is whole
  log.show(items, keyOf, (item) => item.key
    ? greeting(item, (title) => asked(tell({ pick: title })))
    : post(item, { act, change, thread: `#${room.id}/${item.ts}` }));
}

// `a, b, c`, or `甲、乙、丙`.
function people() {
  return new Intl.ListFormat(document.documentElement.lang, { style: "narrow" });
}

function drawThread(isOther) {
  const { element, log, act, about, change } = panes.thread;
  const isLeft = !root && element.contains(document.activeElement);
  element.hidden = !root;
  $("desk").classList.toggle("threaded", Boolean(root));
  if (isOther) {
    log.clear();
    about.drop();
  }
  if (isLeft) panes.room.words.focus();
  if (!root) return;
  $("close").href = `#${room.id}`;
  const items = said({ thread: root.ts });
  if (root.work) items.push({ ...root, key: "work", bot: world.bot });
  log.log.ariaBusy = String(Boolean(root.work));
  log.show(items, keyOf, (item) => item.key ? work(item, act) : post(item, { act, change }));
}

// Opens the thread in which what was just asked is answered.
function showAwaited() {
  const isAnswered = (each) => room.messages.some((reply) => reply.byBot && reply.thread === each.ts);
  const asked = awaited?.room === room.id && room.messages.find((each) =>
    each.ts > awaited.after && each.author === world.person && isAnswered(each));
  if (!asked) return;
  if (root === asked) awaited = null;
  else location.hash = `${room.id}/${asked.ts}`;
}

async function begin() {
  seat = await chooseSeat("/slack/seats");
  $("aside").textContent = say("Thread");
  panes.room = pane("room", () => ({ room: room.id, thread: "" }));
  panes.thread = pane("thread", () => ({ room: room.id, thread: root?.ts ?? "" }));
  panes.room.words.focus();
  window.onhashchange = () => { if (world) draw(); };
  const show = (screen) => { world = screen; draw(); };
  if (!seat.still) return connect(`/slack/live/${seat.name}`, show);
  show(await (await fetch(`/slack/screen/${seat.name}`)).json());
  await document.fonts.ready; // they change the heights
  panes.room.log.follow();
  panes.thread.log.follow();
}

begin();
