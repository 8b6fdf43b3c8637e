"""`/allow`, `/deny`, `/users`: admins let people in, shut them out, and see who there is."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping

from bot.core.commands.table import ADMIN, Command, Handler
from bot.core.i18n import N_
from bot.core.menu import Item, make_buttons, page_at
from bot.core.names import harmless
from bot.core.punctuation import in_a_row, items
from bot.core.stores import Acquaintance
from bot.core.turn import TurnContext
from bot.core.types import ButtonPress, IncomingMessage, Person, UserId

log = logging.getLogger(__name__)

LET_IN = "people.allow"
TURN = "people.page"
PAGE = 8
"""People on a page."""
HERE = "here"
_MENTION = re.compile(r"<@([^|>\s]+)(?:\|[^>]*)?>")


async def allow(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Let a person or a chat in."""
    await _decide(ctx, argument, allowed=True)


async def deny(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Shut a person or a chat out."""
    await _decide(ctx, argument, allowed=False)


async def users(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
    """Show who has spoken to the bot, and who may."""
    await _show(ctx, 0)


async def turn_page(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """Somebody pressed one of the arrows."""
    if ctx.admin:
        await _show(ctx, int(argument))


async def let_in(ctx: TurnContext, press: ButtonPress, argument: str) -> None:
    """An admin pressed the button of a stranger."""
    if ctx.admin:
        subject, page = json.loads(argument)
        await _put(ctx, subject, allowed=True)
        await _show(ctx, page)


async def subject_of(ctx: TurnContext, text: str) -> str | None:
    """Who is meant by `telegram:1001`, `1001`, a mention, or a name.

    None when it is nobody, or when several people have the name. Platforms may hand over a mention
    as the name of who is mentioned, so a name has to do.
    """
    if not text:
        return None
    mention = _MENTION.fullmatch(text)
    name = mention[1] if mention else text.removeprefix("@")
    platform, colon, rest = name.partition(":")
    if colon and platform.isalpha() and platform.islower():
        return name if rest and " " not in rest else None
    users, person = ctx.services.stores.users, Person(ctx.chat.platform, UserId(name))
    # Anybody can call themselves like somebody's id.
    is_id = mention is not None or ctx.platform.is_id(name)
    if is_id or await users.find(person) is not None:
        return str(person)
    called = await users.called(ctx.chat.platform, name)
    return str(called[0].person) if len(called) == 1 else None


async def titled(ctx: TurnContext, person: Person) -> str:
    """A person in Markdown, by the name where it is known: ``Ann `telegram:1001` ``."""
    known = await ctx.services.stores.users.find(person)
    return f"{harmless(known.name)} `{person}`" if known and known.name else f"`{person}`"


# ---------------------------------------------------------------- letting in and shutting out


async def _decide(ctx: TurnContext, argument: str, *, allowed: bool) -> None:
    _, is_here = ctx.texts.gettext, argument.lower() == HERE
    subject = ctx.gate.names(ctx.chat)[-1] if is_here else await subject_of(ctx, argument)
    if subject is None:
        command = "allow" if allowed else "deny"
        text = _(
            "Whom? Write `/{command} ID` with the id that I tell strangers, or `/{command} here` "
            "for this whole chat. /users lists who wrote to me."
        )
        unknown = ""
        if argument:
            unknown = _("I know nobody, or several people, by the name “{name}”.")
            unknown = unknown.format(name=argument)
        await ctx.say(in_a_row(ctx.texts, unknown, text.format(command=command)))
    elif not allowed and ctx.gate.administers(subject):
        text = _("`{id}` is an admin by configuration; only the operator can change that.")
        await ctx.say(text.format(id=subject))
    else:
        await _put(ctx, subject, allowed=allowed)
        yes, no = _("✅ `{id}` may talk to me now."), _("🚫 `{id}` is shut out from now on.")
        if is_here:  # read by everybody there
            yes = _("✅ Everybody here may talk to me now.")
            no = _("🚫 From now on I answer only admins here.")
        text = yes if allowed else no
        hint = await _unknown(ctx, subject)
        await ctx.say(in_a_row(ctx.texts, text.format(id=subject), hint))


async def _unknown(ctx: TurnContext, subject: str) -> str:
    """A hint where the id may be mistyped: of nobody who has ever written."""
    here = ctx.gate.names(ctx.chat)
    if subject in here or await ctx.services.stores.users.find(Person.of(subject)) is not None:
        return ""
    return ctx.texts.gettext("Nobody with this id has written to me yet.")


async def _put(ctx: TurnContext, subject: str, *, allowed: bool) -> None:
    decision = {"subject": subject, "allowed": allowed, "by": str(ctx.person)}
    await ctx.gate.decide(subject, allowed=allowed, by=str(ctx.person))
    log.info("access decided", extra={**ctx.log, **decision})


# ---------------------------------------------------------------- the list


async def _show(ctx: TurnContext, page: int) -> None:
    _, stores = ctx.texts.gettext, ctx.services.stores
    count = await stores.users.count()
    at = page_at(page, things=count, size=PAGE)
    found = await stores.users.recent(offset=at.number * PAGE, limit=PAGE)
    head = ctx.texts.ngettext(
        "👥 {count} person has written to me", "👥 {count} people have written to me", count
    )
    title = f"**{head.format(count=ctx.formats.number(count))}**"
    lines = "\n".join(_line(ctx, each) for each in found)
    if ctx.gate.open:
        lines += "\n\n" + _("Everybody may talk to me who is not shut out.")
    strangers = [each for each in found if not ctx.gate.is_let_in(str(each.person))]
    rows = [
        [
            Item(
                _("Let in {name}").format(name=harmless(each.name) or each.person.id),
                LET_IN,
                json.dumps([str(each.person), at.number]),
            )
        ]
        for each in strangers
    ]
    buttons = await make_buttons(ctx, [*rows, at.arrows(TURN)])
    await ctx.say(f"{title}\n\n{lines}", buttons=buttons)


def _line(ctx: TurnContext, one: Acquaintance) -> str:
    _ = ctx.texts.gettext
    subject = str(one.person)
    if ctx.gate.administers(subject):
        standing = _("admin")
    elif ctx.gate.is_let_in(subject):
        standing = _("let in")
    elif ctx.gate.is_let_in(subject) is False:
        standing = _("shut out")
    else:
        standing = _("guest") if ctx.gate.open else _("not let in")
    since = ctx.services.budget.calendar.now() - one.last_seen
    ago = ctx.formats.ago(since.total_seconds())
    name = harmless(one.name) or "–"
    return f"- {name} `{subject}` – {items(ctx.texts, (standing, ago))}"


ALLOW = Command(
    name="allow",
    family=ADMIN,
    summary=N_("Let somebody talk to me"),
    usage="ID",
    run=allow,
    details=N_(
        "The id is the one that I tell strangers, such as `telegram:1001`; without a platform it "
        "is one of this app. `here` lets in everybody in this chat."
    ),
    examples=("/allow telegram:1001", "/allow here"),
    admin=True,
    urgent=True,
)
DENY = Command(
    name="deny",
    family=ADMIN,
    summary=N_("Shut somebody out"),
    usage="ID",
    run=deny,
    details=N_("Also those whom the configuration lets in, and everybody else in an open bot."),
    examples=("/deny telegram:1001",),
    admin=True,
    urgent=True,
)
USERS = Command(
    name="users",
    family=ADMIN,
    summary=N_("Show who writes to me, and let strangers in"),
    run=users,
    aliases=("people",),
    examples=("/users",),
    admin=True,
    urgent=True,
)

ACTIONS: Mapping[str, Handler] = {
    LET_IN: Handler(run=let_in),
    TURN: Handler(run=turn_page),
}
