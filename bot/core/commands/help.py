"""`/help`: the commands that this person can use in this chat, and one of them explained."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.commands.table import ABOUT, FAMILIES, Command, nearest
from bot.core.i18n import N_
from bot.core.punctuation import enumerated, narrow
from bot.core.turn import TurnContext
from bot.core.types import CommandInfo, IncomingMessage


async def show_help(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """List the commands, or explain the one that is named."""
    typed = narrow(argument).removeprefix("/").removeprefix(_mark(ctx))
    name = typed.lower()
    if not name:
        await ctx.say(_overview(ctx))
        return
    found = next((i for i in ctx.services.commands if name in (i.name, *i.aliases)), None)
    if found is not None:
        await ctx.say(refuse(ctx, found) or _explain(ctx, found))
        return
    _ = ctx.texts.gettext
    near = nearest([info.name for info in usable(ctx)], name)
    hint = _("Did you mean /{near}?").format(near=near) if near else _("/help lists them.")
    text = _("There is no command /{name}. {hint}")
    await ctx.say(text.format(name=typed, hint=hint))


def usable(ctx: TurnContext) -> Sequence[CommandInfo]:
    """The commands that this person can use in this chat."""
    return [info for info in ctx.services.commands if not refuse(ctx, info)]


def refuse(ctx: TurnContext, info: CommandInfo) -> str:
    """Why this person cannot use a command in this chat; empty when they can."""
    _ = ctx.texts.gettext
    if info.admin and not ctx.admin:
        return _("/{name} is only for the admins of this bot.").format(name=info.name)
    if not ctx.capabilities.meet(info.needs):
        return _("/{name} does not work in this app, sorry.").format(name=info.name)
    return ""


def _explain(ctx: TurnContext, info: CommandInfo) -> str:
    """One command with all there is to say about it."""
    _ = ctx.texts.gettext
    paragraphs = [f"{_written(ctx, info)} – {_(info.summary)}"]
    if info.details:
        paragraphs.append(_(info.details))
    if info.examples:
        examples = "\n".join(f"- `{_(example)}`" for example in info.examples)
        paragraphs.append(_("For example:") + f"\n\n{examples}")
    if info.aliases:
        others = enumerated(ctx.texts, (f"{_mark(ctx)}{alias}" for alias in info.aliases))
        paragraphs.append(_("Also: {others}").format(others=others))
    return "\n\n".join([*paragraphs, *_in_threads(ctx, info.name)])


def _overview(ctx: TurnContext) -> str:
    _ = ctx.texts.gettext
    paragraphs = [_("Just write, send a picture, or speak. And there are commands:")]
    commands = usable(ctx)
    for family in FAMILIES:
        lines = [
            f"- {_written(ctx, info)} – {_(info.summary)}"
            for info in commands
            if info.family == family
        ]
        if lines:
            paragraphs.append("\n".join([f"**{_(family)}**", "", *lines]))
    paragraphs.append(_("`/help NAME` explains one of them."))
    return "\n\n".join([*paragraphs, *_in_threads(ctx, "model")])


def _mark(ctx: TurnContext) -> str:
    return ctx.capabilities.command_mark


def _in_threads(ctx: TurnContext, name: str) -> Sequence[str]:
    """How to write a command in the threads of this chat, where that is not as here."""
    mark = ctx.capabilities.thread_mark
    if not mark:
        return ()
    text = ctx.texts.gettext("In threads write `{mark}{name}` instead of `/{name}`.")
    return (text.format(mark=mark, name=name),)


def _written(ctx: TurnContext, info: CommandInfo) -> str:
    usage = f" {ctx.texts.gettext(info.usage)}" if info.usage else ""
    return f"`{_mark(ctx)}{info.name}{usage}`"


HELP = Command(
    name="help",
    family=ABOUT,
    summary=N_("Show all commands, or explain one"),
    usage=N_("[NAME]"),
    run=show_help,
    examples=("/help", "/help model"),
    urgent=True,
)
