"""What the pages of the demo share: a server on loopback, and how a page draws and is written in.

`server` serves them, `page` is what each of them has; `elements.js` draws, `seats.js` knows whose
screen it is, `line.js` speaks to the server, `composer.js` is where people write, `chatlog.js`
keeps the newest message in sight, and `texts.js` has what a page says itself.
"""
