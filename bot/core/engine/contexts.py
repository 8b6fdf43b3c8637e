"""Makes the `TurnContext` with which a turn is worked on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.core.access import Gate
from bot.core.engine.joining import Joining
from bot.core.engine.leftovers import Leftovers
from bot.core.engine.unfinished import Unfinished
from bot.core.engine.waiting import WaitingRoom
from bot.core.manner import style_of
from bot.core.ports import Platform
from bot.core.queue import Turn, album_of
from bot.core.services import Services
from bot.core.settings import ChatSettings, handed_down
from bot.core.stopper import Stopper
from bot.core.turn import TurnContext
from bot.core.types import ChatRef, IncomingMessage, StopPressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """Makes contexts. `now` gives the present id of a chat, `stop_chat` stops the answer in one."""

    platforms: Mapping[str, Platform]
    services: Services
    gate: Gate
    room: WaitingRoom
    joining: Joining
    unfinished: Unfinished
    leftovers: Leftovers
    now: Callable[[ChatRef], ChatRef]
    stop_chat: Callable[[ChatRef], Awaitable[bool]]

    async def of(
        self, turn: Turn, joined: list[int], stopper: Stopper, *, gather: bool
    ) -> TurnContext:
        """The context of a turn; before, messages are deleted that an earlier attempt has left.

        With `gather`, turns that wait behind it may join it; their ids are added to `joined`.
        Raises `StoreError`, `TurnLost` and `PlatformError`.
        """
        first, event = turn, turn.event
        platform = self.platforms[turn.chat.platform]
        settings = turn.settings or await self._handed_down(platform, turn.chat)
        shown = list(turn.shown)
        line = None if turn.urgent else await self.room.begun(turn.chat, turn.id)
        if line is not None and not shown:
            shown.append(line)
        elif line is not None and line not in shown:
            self.room.take_back(line)
        ours = self.unfinished.holds(turn.chat, turn.id)
        await self.leftovers.tidy(turn, shown, ours=ours)
        for gap in () if turn.urgent else self.room.gaps(turn.chat):
            await self.leftovers.tidy_again(turn, shown, gap)
        if isinstance(event, IncomingMessage) and not turn.urgent and gather:
            chosen = settings.together or ("on" if self.services.defaults.together else "off")
            turn = await self.joining.join(turn, event, joined, shown, words=chosen == "on")
        if not ours and not turn.urgent and turn.followed:
            await self._add_those_behind(turn)
        if not isinstance(event, IncomingMessage | StopPressed):
            # What a button does is shown in the message that bears it.
            shown = list(turn.shown) or [event.ref]
        style = style_of(settings, self.services.defaults)
        return TurnContext(
            services=self.services,
            platform=platform.styled(style),
            turn=turn,
            sender=event.sender,
            settings=settings,
            admin=self.gate.is_admin(turn.chat, event.sender),
            gate=self.gate,
            stopper=stopper,
            platforms=self.platforms,
            stop_chat=self.stop_chat,
            now=self.now,
            shown=shown,
            stands=lambda: None if turn.urgent else self.room.answer_shown(turn.chat),
            tidy=lambda: self.leftovers.tidy_again(first, shown),
        )

    async def _add_those_behind(self, turn: Turn) -> None:
        """Let those that waited before this process began have lines, as what came since has."""
        album = ""
        for other in await self.services.stores.turns.following(turn.id):
            self.unfinished.add(turn.chat, other.id)
            is_new = not album_of(other.event) or album_of(other.event) != album
            album = album_of(other.event)
            if is_new and isinstance(other.event, IncomingMessage):
                self.room.add(other.id, other.event)

    async def _handed_down(self, platform: Platform, chat: ChatRef) -> ChatSettings:
        """The settings of a chat that has chosen nothing itself, for a turn that had to wait."""
        lobby = platform.lobby(chat)
        if lobby == chat:
            return ChatSettings()
        return handed_down(await self.services.stores.settings.load(lobby))
