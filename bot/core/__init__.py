"""What the bot does; imports the standard library and `bot.errors`, nothing else.

From an event to the screen:

1. A platform makes an `Event` of what it is told (`platforms/*/inbound`) and hands it to
   `Lanes.sink` (`engine.lanes`). The gate (`access`) says who may, the router (`engine.router`)
   how it is taken in.
2. `TurnQueue.accept` (`queue`) commits it as a turn; only then it is acknowledged. A turn that need
   not wait is claimed in the same commit.
3. When its lane is free, the turn is claimed. `engine.attempts` works on it, with a `TurnContext`
   (`turn`) that `engine.contexts` makes. The router gives it to a command or to the handler of a
   button (`commands`), or to `answer.answer`.
4. An answer: what was sent is read (`question`), what the model is told is chosen
   (`memory.window`), what it may use is set aside (`limits.spending`), and the model is asked
   (`ports.ModelApi`). `Delivery` has the pace, `Sheets` knows the messages, the platform's `Draft`
   makes the calls. Checkpoints of the text are saved meanwhile (`delivery.checkpoints`).
5. The `Outcome` is written with the end of the turn, in one transaction (`engine.attempts`,
   `engine.ends`, `store.queue`). Chores follow, such as a title (`engine.chores`).

After a kill: `TurnQueue.recover` lets the turns wait again that were running, and they are claimed
as above. `Turn.partial` and `Turn.shown` are the last checkpoint: `engine.leftovers` deletes what
was posted after it, and the answer is written over the messages that stand there.

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
