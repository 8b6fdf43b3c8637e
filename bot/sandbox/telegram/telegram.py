"""The sandbox itself: the world of the bot, and the people a tester plays in it."""

from __future__ import annotations

from bot.core.ports import Clock
from bot.sandbox.telegram.people import Group, Person
from bot.sandbox.telegram.state import ChatKind, User
from bot.sandbox.telegram.world import World


class Telegram(World):
    """A world with people. Parameters and what it raises: see `World`."""

    def __init__(self, *, username: str, name: str, clock: Clock | None, judge: bool) -> None:
        super().__init__(username=username, name=name, clock=clock, judge=judge)
        self._people: dict[int, Person] = {}

    def person(
        self, *, id: int = 1001, name: str = "Ann", username: str = "", language: str = "en"
    ) -> Person:
        """Somebody with a Telegram account; the same id is the same person."""
        if id not in self._people:
            account = User(id=id, name=name, username=username, language=language)
            self._people[id] = Person(self, account)
        return self._people[id]

    def group(self, title: str = "Group", *, forum: bool = False, basic: bool = False) -> Group:
        """A new supergroup with the bot in it; or a `basic` group, which may become one."""
        kind = ChatKind.GROUP if basic else ChatKind.SUPERGROUP
        return Group(self, self.new_group(title, kind, forum=forum))

    def menu(self, language: str = "") -> dict[str, str]:
        """The commands the person's client shows, with their descriptions."""
        return self.commands.get(language.split("-")[0]) or self.commands.get("", {})
