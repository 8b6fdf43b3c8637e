"use strict";

// How the pages draw: what stands is patched in place, so that nobody is disturbed.

const $ = (id) => document.getElementById(id);

function make(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

// A key that is only a sign: what it does is said when somebody points at it, and read out.
function signKey(name, sign, title) {
  const key = make("button", name, sign);
  key.title = key.ariaLabel = title;
  return key;
}

// A file in sight, or the way to it; its kind is Telegram's, or the first half of its type.
function attachment(file) {
  const tags = { image: "img", photo: "img", sticker: "img", audio: "audio", voice: "audio", video: "video" };
  const tag = tags[file.kind] ?? "a", element = make(tag, tag === "a" ? "file" : "");
  if (tag === "a") Object.assign(element, { href: file.url, textContent: `📄 ${file.name}` });
  else Object.assign(element, { src: file.url }, tag === "img" ? { alt: file.name } : { controls: true });
  return element;
}

// When something was said: the time in sight, the day when somebody points at it.
function timeOf(at) {
  const element = make("time", "note"), when = new Date(at), language = document.documentElement.lang;
  element.dateTime = when.toISOString();
  element.textContent = when.toLocaleTimeString(language, { timeStyle: "short" });
  element.title = when.toLocaleString(language, { dateStyle: "full", timeStyle: "medium" });
  return element;
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

// Lets a log show these items in their order. `drawn` keeps what each was drawn from and its
// element, by its key; `build` makes the element of an item. What has not changed is left alone.
function drawList(log, drawn, items, keyOf, build) {
  const here = new Set(items.map(keyOf));
  for (const [key, [, element]] of drawn) if (!here.has(key)) { element.remove(); drawn.delete(key); }
  let before = null;
  for (const item of items) {
    const key = keyOf(item), from = JSON.stringify(item);
    const [old, standing] = drawn.get(key) ?? [];
    let element = standing;
    if (old !== from) {
      const fresh = build(item);
      if (standing) become(standing, fresh);
      else {
        element = fresh;
        if (before) before.after(element);
        else log.prepend(element);
      }
      drawn.set(key, [from, element]);
    }
    before = element;
  }
}
