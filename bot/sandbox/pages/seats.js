"use strict";

// Whose screen can be looked at: the one that the address names is looked at, or that of the same
// person elsewhere, or of the first who speaks the browser's language. Links to everybody, and to the other platform, stand at the top.
async function chooseSeat(url) {
  const seats = await (await fetch(url)).json(), address = new URLSearchParams(location.search);
  const wanted = address.get("seat");
  const here = seats.find((each) => each.name === wanted)
    ?? seats.find((each) => wanted?.endsWith(each.name))
    ?? seats.find((each) => navigator.language.startsWith(each.language)) ?? seats[0];
  document.documentElement.lang = here.language;
  document.body.classList.toggle("still", address.has("still"));
  translate();
  $("seats").append(...seats.map((each) => {
    const link = make("a", each === here ? "here" : "", each.title);
    link.href = `?seat=${each.name}`;
    if (each === here) link.ariaCurrent = "page";
    return link;
  }));
  for (const link of document.querySelectorAll("#platforms a")) link.search = `?seat=${here.name}`;
  document.querySelector("#seats .here").scrollIntoView({ inline: "nearest", block: "nearest" });
  return { ...here, still: address.has("still") };
}
