"""An event becomes work: a command, what a button stands for, or an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import assert_never
from weakref import WeakValueDictionary

from bot.core.access import Gate
from bot.core.answer import feedback
from bot.core.answer.answer import answer
from bot.core.answer.buttons import is_of, named_exchange
from bot.core.commands import ACTIONS, edited
from bot.core.commands.help import refuse
from bot.core.commands.sight import instead_of_looking
from bot.core.commands.table import CommandTable, Queueing, parse, runs_on
from bot.core.commands.transcribe import instead_of_answering
from bot.core.engine.declining import decline
from bot.core.queue import Outcome
from bot.core.spending import remind
from bot.core.stopper import STOP
from bot.core.stores import Stores
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, Event, IncomingMessage, MessageRef, StopPressed
from bot.errors import ModelError, ModelErrorKind

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """How an event is taken in: as what, and whether it is `urgent` (`Turn.urgent`).

    `quiet`: its sender is not told that it waits, since it is quick once its turn has come.
    """

    event: Event
    urgent: bool
    quiet: bool = False


class Router:
    """Knows which piece of work an event asks for. Who may ask is checked again here."""

    def __init__(self, gate: Gate, commands: CommandTable) -> None:
        self._gate = gate
        self._commands = commands
        self._panels: WeakValueDictionary[MessageRef, asyncio.Lock] = WeakValueDictionary()

    @staticmethod
    def is_words(event: Event) -> bool:
        """Whether the event is something said to the model, and no command or button."""
        return isinstance(event, IncomingMessage) and parse(event.text) is None

    async def intake(self, event: Event, stores: Stores, working: Collection[int] = ()) -> Intake:
        """Decide how an event is taken in: Stop, most buttons and some commands are urgent.

        `working` are the turns that are being worked on: their answers are not in the history yet,
        though their buttons may be on the screen. Raises `StoreError`.
        """
        match event:
            case ButtonPress():
                return await self._press_in(event, stores, working)
            case StopPressed():
                return Intake(event, urgent=True)
            case IncomingMessage():
                parsed = parse(event.text)
                command = self._commands.find(parsed[0]) if parsed else None
                return Intake(event, urgent=command is not None and command.urgent)
            case unknown:
                assert_never(unknown)

    async def _press_in(
        self, press: ButtonPress, stores: Stores, working: Collection[int]
    ) -> Intake:
        """A press that counts once gets the key of its button: the next one is known already.

        One that can do nothing any more is urgent: a platform takes the answer to it only at once.
        """
        chat = press.ref.chat
        action = None if press.value == STOP else await stores.actions.find(chat, press.value)
        if action is None or action.owner not in (None, press.sender.id):
            return Intake(press, urgent=True)
        handler = ACTIONS.get(action.name)
        if handler is None or handler.queueing is Queueing.URGENT:
            return Intake(press, urgent=True)
        if handler.queueing is Queueing.ASKS_EVERY_TIME:
            return Intake(press, urgent=False)
        is_late = handler.queueing is Queueing.ASKS_ONCE and not is_of(action, working)
        if is_late and await named_exchange(stores, chat, action.argument) is None:
            return Intake(press, urgent=True)
        quiet = handler.queueing is Queueing.WAITS_ONCE
        return Intake(replace(press, key=f"button:{press.value}"), urgent=False, quiet=quiet)

    async def handle(self, ctx: TurnContext) -> Outcome:
        """Do what the event asks for. Raises `PlatformError` and `StoreError` only."""
        if not self._gate.may(ctx.chat, ctx.sender):
            await self._turn_away(ctx)
            return Outcome()
        try:
            outcome = await self._carry_out(ctx) or Outcome()
        except ModelError as error:  # a limit that a command has not said itself
            if error.kind is not ModelErrorKind.NOT_ALLOWED:
                raise
            await ctx.say(f"⚠️ {error.detail}")
            return Outcome()
        await remind(ctx, outcome)
        return outcome

    async def _carry_out(self, ctx: TurnContext) -> Outcome | None:
        event = ctx.turn.event
        match event:
            case IncomingMessage():
                return await self._message(ctx, event)
            case ButtonPress():
                return await self._press(ctx, event)
            case StopPressed():
                await ctx.stop_chat(ctx.chat)
                return None
            case unknown:
                assert_never(unknown)

    async def _message(self, ctx: TurnContext, message: IncomingMessage) -> Outcome | None:
        if message.declined:
            await decline(ctx)
            return None
        parsed = parse(message.text)
        command = self._commands.find(parsed[0]) if parsed else None
        if parsed is None or (command is None and runs_on(message.text)):
            if message.edited and await edited.offer(ctx, message):
                return None
            for instead in (instead_of_answering, instead_of_looking):
                if (done := await instead(ctx, message)) is not None:
                    return done
            return await answer(ctx, message)
        name, argument = parsed
        _ = ctx.texts.gettext
        if command is not None:
            log.info("command", extra={**ctx.log, "command": command.name})
            refusal = refuse(ctx, command)
            if not refusal:
                return await command.run(ctx, message, argument)
            await ctx.say(refusal)
            return None
        near = self._commands.nearest(name, admin=ctx.admin)
        hint = _("Did you mean /{near}?").format(near=near) if near else _("/help lists them.")
        await ctx.say(_("There is no command /{name}. {hint}").format(name=name, hint=hint))
        return None

    async def _press(self, ctx: TurnContext, press: ButtonPress) -> Outcome | None:
        _ = ctx.texts.gettext
        if press.value == STOP:
            stopped = await ctx.stop_chat(ctx.chat)
            await ctx.platform.notice(press, "" if stopped else _("Nothing is being written."))
            return None
        if (rating := feedback.read(ctx.chat, ctx.sender.id, press.value)) is not None:
            await feedback.rate(ctx, press, rating)
            return None
        action = await ctx.services.stores.actions.find(ctx.chat, press.value)
        handler = ACTIONS.get(action.name) if action else None
        if action is None or handler is None:
            text = _(
                "This button is too old and no longer works. Please ask once more, or send the "
                "command."
            )
            await ctx.platform.notice(press, text)
            return None
        if action.owner is not None and action.owner != press.sender.id:
            await ctx.platform.notice(press, _("This button belongs to somebody else."))
            return None
        if not ctx.turn.urgent:  # it was answered when it was taken in
            return await handler.run(ctx, press, action.argument)
        if not handler.answers_press:
            await ctx.platform.notice(press, "")
        if not handler.panel:
            return await handler.run(ctx, press, action.argument)
        # Urgent turns pass each other: what is drawn last must know what was chosen before.
        async with self._panels.setdefault(press.ref, asyncio.Lock()):
            await ctx.reload_settings()
            return await handler.run(ctx, press, action.argument)

    async def _turn_away(self, ctx: TurnContext) -> None:
        """One polite line, with the id that an admin needs to let the person in."""
        if isinstance(ctx.turn.event, IncomingMessage):
            _ = ctx.texts.gettext
            text = _("Sorry, I only answer people I know. The operator can let you in: `{id}`")
            await ctx.say(text.format(id=ctx.person))
