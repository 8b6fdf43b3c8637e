"""docs/commands.md, written from the table of commands, so that it says what `/help` says.

    python -m tests.commands_page    # writes it; a test fails while it is out of date

Its pictures are taken by `python -m tests.screenshots`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.core.commands import COMMANDS
from bot.core.commands.table import ABOUT, ADMIN, FAMILIES, MEDIA, STYLE, TALK, Command

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"

INTRO = """\
# Commands

The same in Telegram, in Slack and in the terminal. In Slack's threads and direct messages write
`!model` instead of `/model`, since Slack takes no slash commands in threads; in channels write
`/model`, or `/chinwag model`. A button does what its command does, so nothing needs to be typed
where there are buttons. The wide `／` and `！` of Chinese keyboards do as well, and what can be
chosen may be typed as it is read: `/language 中文`, `/voice left alone`.

Each thread of a Slack channel and each topic of a Telegram group is a chat of its own. While it has
chosen nothing itself, it keeps to the model and the other settings that its channel, or the general
topic of its group, has chosen; but for listening along, which is switched on where people talk.

To ask the bot in Slack about what somebody else has written, mention it in the thread below: the
first question there comes with the message that the thread began with, and its files; it keeps what
it quotes when that is deleted. What was said in between the bot does not know, unless
`/settings listening on` was said there before.

Deleting a message in Slack takes it back: what waits or is being answered is answered no more, and
a half answer goes with it. After its answer it is erased from all that is kept, and so is the
answer, which only stands in Slack then. Slack tells of it for a few minutes: what is deleted
while the bot is off for longer, it never hears of. Nor does it in Telegram, which tells bots of
nothing that is deleted; there is `/undo`, and `/forget`.

The pictures show the real bot in the sandbox (`make demo`).
"""

PICTURES = {
    TALK: (("answer", "An answer with its thoughts folded up"), ("chinese", "The help in Chinese")),
    STYLE: (("settings", "The settings of a chat"), ("model", "Choosing a model")),
    MEDIA: (("image", "A drawing"), ("voice", "A voice message"), ("document", "A document")),
    ABOUT: (("usage", "What was used"),),
    ADMIN: (("stats", "How the bot is doing"),),
}


def page() -> str:
    """The whole page."""
    return "\n".join([INTRO, *(line for family in FAMILIES for line in _family(family))])


def _family(family: str) -> Iterator[str]:
    yield f"## {family}\n"
    shown = PICTURES[family]
    yield " ".join(
        f'<img src="pictures/{name}.png" alt="{alt}" width="280">' for name, alt in shown
    )
    yield ""
    for command in COMMANDS.commands:
        if command.family == family:
            yield from _command(command)


def _command(command: Command) -> Iterator[str]:
    usage = f" {command.usage}" if command.usage else ""
    yield f"**`/{command.name}{usage}`** – {command.summary}.\n"
    if command.details:
        yield f"{command.details}\n"
    if command.examples:
        yield "For example: " + ", ".join(f"`{example}`" for example in command.examples) + "\n"
    if command.aliases:
        yield "Also: " + ", ".join(f"`/{alias}`" for alias in command.aliases) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
