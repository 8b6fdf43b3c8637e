"use strict";

// Keeps the newest message of a log in sight while somebody looks at it; while they read above, a
// key below the log leads to it.
function chatlog(log) {
  const key = signKey("newest", "↓", say("To the newest message"));
  const below = make("div", "below");
  key.type = "button";
  key.hidden = true;
  below.append(key);
  log.after(below);

  const here = { log, drawn: new Map(), following: true };
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  const setFollowing = (now) => {
    here.following = now;
    if (now) key.hidden = true;
  };
  here.follow = () => { setFollowing(true); toEnd(); };

  // Shows these items and stays where it is; the key tells of new ones below.
  here.show = (items, keyOf, build) => {
    const focused = document.activeElement, before = new Set(here.drawn.keys());
    drawList(log, here.drawn, items, keyOf, build);
    if ([...here.drawn.keys()].some((each) => !before.has(each))) key.hidden = here.following;
    if (!focused.isConnected) log.focus({ preventScroll: true }); // the key is gone: stay near it
    if (here.following) toEnd();
  };
  // Shows nothing: another conversation comes.
  here.clear = () => {
    log.replaceChildren();
    here.drawn.clear();
    setFollowing(true);
  };
  key.onclick = () => { log.focus({ preventScroll: true }); here.follow(); };
  log.onscroll = () => setFollowing(log.scrollHeight - log.scrollTop - log.clientHeight < 80);
  const stay = () => { if (here.following) toEnd(); };
  log.addEventListener("load", stay, true); // a picture has come
  new ResizeObserver(stay).observe(log);
  return here;
}
