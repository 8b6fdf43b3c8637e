"""What the bot does; imports the standard library and `bot.errors`, nothing else.

`docs/how-it-works.md` follows one message through it, and says what is left after a kill.

Words that are used everywhere:

* turn: one event that asks for work; it is tried at most three times.
* lane: the turns of one chat, one at a time and in order; `urgent` ones do not wait in it. At the
  API it is whose requests wait together.
* to join: a turn joins another one when its message is answered together with that one's.
* exchange: a question and what was answered; a conversation is made of them.
* remark: what people in a group say to each other, kept as context.
* sheet, page: one message of an answer, and the part of the text on it.
* draft, preview: a message that is still being written, and as much as may be shown of it.
* mark: a line under an answer that says how it ended. (Elsewhere: what stands before a command.)
* action: what a button is for, kept in the database under its value. A `Handler` does it.
* to stand: a message stands in a chat from when it is posted until it is deleted.
* standing: how far somebody is below a limit (`limits.ledger`).
* hold, lease: a running turn is held by one process, for as long as it renews its lease. It shows
  something of it only while it is sure that nobody else can have taken the turn over.
* fact: what a server has told about a model (`facts`), mostly by refusing something.
* to withdraw: a person deletes a message in the chat. (To take back, `/undo`, only hides it.)
* to sweep: to delete what a process posted that died before it wrote that down.
"""
