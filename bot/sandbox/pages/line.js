"use strict";

// The line to the server: what is to be seen comes in, what somebody does goes out.

let socket, toasted; // toasted: the timer of the toast

// Shows what the server tells as it comes, again and again.
function connect(path, show) {
  socket = new WebSocket(`ws://${location.host}${path}`);
  socket.onmessage = (event) => {
    const news = JSON.parse(event.data);
    if (news.screen) show(news.screen);
    if (news.toast) toast(news.toast);
  };
  socket.onclose = () => {
    $("status").textContent = say("The demo has ended; waiting for it to come back…");
    setTimeout(connect, 1000, path, show);
  };
}

// False when nobody hears it: what was typed must stay.
function tell(what) {
  const heard = socket?.readyState === WebSocket.OPEN;
  if (heard) socket.send(JSON.stringify(what));
  else toast(say("Not connected. Try again in a moment."));
  return heard;
}

async function upload(content, path, query) {
  const type = content.type || "application/octet-stream";
  const order = { method: "POST", body: content, headers: { "Content-Type": type } };
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`, order).catch(() => null);
  if (!answer) toast(say("Not connected. Try again in a moment."));
  else if (!answer.ok) toast(answer.status === 413 ? say("That file is too large.") : say("That did not work."));
  return Boolean(answer?.ok);
}

function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toasted);
  toasted = setTimeout(() => { $("toast").hidden = true; }, 3000);
}
