"""The people and groups a tester plays with."""

from __future__ import annotations

from bot.sandbox.telegram import wire
from bot.sandbox.telegram.state import Chat, ChatKind, Membership, User
from bot.sandbox.telegram.view import ChatView
from bot.sandbox.telegram.world import World


class Person:
    """Somebody with a Telegram account. Get one from `Telegram.person`."""

    def __init__(self, world: World, user: User) -> None:
        self.user = user
        self._world = world

    def private(self, *, started: bool = True) -> ChatView:
        """The chat with the bot; unless `started`, the bot may not write before the person does."""
        chats = self._world.chats
        if self.user.id not in chats:
            membership = Membership.MEMBER if started else Membership.STRANGER
            chats[self.user.id] = Chat(
                id=self.user.id, kind=ChatKind.PRIVATE, person=self.user, membership=membership
            )
        return ChatView(self._world, chats[self.user.id], self.user)

    def _chat(self) -> Chat:
        self.private()
        return self._world.chats[self.user.id]

    def block(self) -> None:
        """Block the bot: its calls are answered 403 from now on."""
        _change_membership(self._world, self._chat(), self.user, Membership.BLOCKED)

    def unblock(self) -> None:
        """Let the bot write again."""
        _change_membership(self._world, self._chat(), self.user, Membership.MEMBER)


class Group:
    """A group with the bot in it. Get one from `Telegram.group`."""

    def __init__(self, world: World, chat: Chat) -> None:
        self.id = chat.id
        self._world = world
        self._chat = chat

    def seen_by(self, person: Person, *, topic: int | None = None) -> ChatView:
        """The group (or one topic of it) on somebody's phone."""
        return ChatView(self._world, self._chat, person.user, topic)

    def open_topic(self, name: str, by: Person) -> int:
        """Open a topic in a forum; returns its id for `seen_by`."""
        topic = self._chat.last_id + 1
        self._chat.topics[topic] = name
        return self.seen_by(by, topic=topic).open_topic(name)

    def forbid(self, *kinds: str) -> None:
        """Let no member send media of these kinds (`photo`, `document`, …), nor the bot."""
        self._chat.forbidden.update(kinds)

    def upgrade(self, by: Person) -> Group:
        """Make the basic group a supergroup; returns that, and this one takes no more calls.

        Telegram does so when the group gets a public name, a visible history, many members …
        Everything gets a new id, and the messages from before cannot be edited any more.
        """
        new = Group(self._world, self._world.new_group(self._chat.title, ChatKind.SUPERGROUP))
        self.seen_by(by).tell_of_move(became=new.id)
        self._chat.became = new.id
        new.seen_by(by).tell_of_move(was=self.id)
        return new

    def remove_bot(self, by: Person) -> None:
        """Throw the bot out: its calls are answered 403 from now on."""
        _change_membership(self._world, self._chat, by.user, Membership.KICKED)


_STATUS = {
    Membership.MEMBER: "member",
    Membership.BLOCKED: "kicked",
    Membership.KICKED: "kicked",
    Membership.STRANGER: "left",
}


def _change_membership(world: World, chat: Chat, by: User, new: Membership) -> None:
    """Let the bot in or throw it out, and tell it with a `my_chat_member` update."""
    old, chat.membership = chat.membership, new
    bot = wire.user(world.bot)
    until = {"until_date": 0}
    states = [
        {"user": bot, "status": _STATUS[state]} | (until if _STATUS[state] == "kicked" else {})
        for state in (old, new)
    ]
    world.updates.add(
        "my_chat_member",
        {
            "chat": wire.chat(chat),
            "from": wire.user(by),
            "date": world.now(),
            "old_chat_member": states[0],
            "new_chat_member": states[1],
        },
    )
    world.changes.tell(chat.id, "membership")
