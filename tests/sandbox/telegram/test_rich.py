from __future__ import annotations

from typing import Any

import pytest
from telegram import Bot
from telegram.error import BadRequest

from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import raw

PAGE = "# Title\n\nSome **bold** words.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx = 1\n```\n"


async def send(bot: Bot, chat: int, **rich: object) -> dict[str, Any]:
    call = {"chat_id": chat, "rich_message": rich}
    sent: dict[str, Any] = await bot.do_api_request("sendRichMessage", api_kwargs=call)
    return sent


async def test_markdown_is_shown_without_its_markers(bot: Bot, ann: ChatView) -> None:
    sent = await send(bot, ann.id, markdown=PAGE)
    assert "text" not in sent
    kinds = [block["type"] for block in sent["rich_message"]["blocks"]]
    assert kinds == ["heading", "paragraph", "table", "pre"]
    (shown,) = ann.kept()
    assert shown.text == "Title\nSome bold words.\na | b\n1 | 2\nx = 1"
    assert shown.rich == PAGE


async def test_a_rich_draft_grows_and_becomes_a_message(bot: Bot, ann: ChatView) -> None:
    call = {
        "chat_id": ann.id,
        "draft_id": 7,
        "rich_message": {"markdown": "# Ti"},
        "can_stop": True,
    }
    assert await bot.do_api_request("sendRichMessageDraft", api_kwargs=call)
    draft = ann.screen().draft
    assert draft is not None
    assert (draft.text, draft.rich, draft.stop) == ("Ti", "# Ti", True)
    await send(bot, ann.id, markdown="# Title")
    assert ann.screen().draft is None
    assert ann.screen().text == "Title"


async def test_a_message_can_become_rich_and_plain_again(
    telegram: Telegram, bot: Bot, ann: ChatView
) -> None:
    sent = await bot.send_message(ann.id, "Title")
    call = {"chat_id": ann.id, "message_id": sent.message_id}
    rich = {"markdown": "# Title"}
    await raw(telegram, "editMessageText", rich_message=rich, **call)
    assert ann.kept()[0].rich == "# Title"
    _, again = await raw(telegram, "editMessageText", rich_message=rich, **call)
    assert "message is not modified" in again["description"]
    await bot.edit_message_text("plain", ann.id, sent.message_id)
    assert (ann.kept()[0].text, ann.kept()[0].rich) == ("plain", "")


async def test_blocks_hold_blocks_and_marks_hold_marks(bot: Bot, ann: ChatView) -> None:
    source = (
        "2. a **b _c_**\n   - d `e` ~~f~~\n\n> quoted\n\n---\n\n"
        "<details open><summary>Why</summary>\n\n[g](https://h.io) ![i](j.png) <br>\n\n"
        "</details>\n\n"
        "<details><summary>Short</summary>one</details>\n\n<p>k &amp; l</p>\n"
    )
    sent = await send(bot, ann.id, markdown=source)
    assert sent["rich_message"]["blocks"] == [
        {
            "type": "list",
            "items": [
                {
                    "label": "2.",
                    "blocks": [
                        {
                            "type": "paragraph",
                            "text": [
                                "a ",
                                {"type": "bold", "text": ["b ", {"type": "italic", "text": ["c"]}]},
                            ],
                        },
                        {
                            "type": "list",
                            "items": [
                                {
                                    "label": "•",
                                    "blocks": [
                                        {
                                            "type": "paragraph",
                                            "text": [
                                                "d ",
                                                {"type": "code", "text": "e"},
                                                " ",
                                                {"type": "strikethrough", "text": ["f"]},
                                            ],
                                        }
                                    ],
                                }
                            ],
                        },
                    ],
                }
            ],
        },
        {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "quoted"}]},
        {"type": "divider"},
        {
            "type": "details",
            "summary": "Why",
            "blocks": [
                {
                    "type": "paragraph",
                    "text": [
                        {"type": "url", "text": ["g"], "url": "https://h.io"},
                        " ",
                        "i",
                        " ",
                    ],
                }
            ],
            "is_open": True,
        },
        {
            "type": "details",
            "summary": "Short",
            "blocks": [{"type": "paragraph", "text": "one"}],
            "is_open": False,
        },
        {"type": "paragraph", "text": "k & l"},
    ]
    assert ann.screen().text == "2. a b c\n• d e f\nquoted\nWhy\ng i \nShort\none\nk & l"


async def test_people_can_write_rich_messages(bot: Bot, ann: ChatView) -> None:
    ann.send_rich("# Title")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.text is None
    heading = {"type": "heading", "text": "Title", "size": 1}
    assert update.message.api_kwargs["rich_message"] == {"blocks": [heading]}


async def test_32768_characters_are_the_limit(bot: Bot, ann: ChatView) -> None:
    assert await send(bot, ann.id, markdown="x" * 32768)
    with pytest.raises(BadRequest, match="Message is too long"):
        await send(bot, ann.id, markdown="x" * 32769)


@pytest.mark.parametrize(
    "markdown",
    ["a\n\n" * 501, "> " * 17 + "a", "|" + "a|" * 21 + "\n|" + "-|" * 21],
)
async def test_too_many_blocks_levels_or_columns_are_refused(
    bot: Bot, ann: ChatView, markdown: str
) -> None:
    with pytest.raises(BadRequest, match="Rich_message_"):
        await send(bot, ann.id, markdown=markdown)


@pytest.mark.parametrize(
    "rich", [{}, {"markdown": "a", "html": "a"}, {"markdown": " "}, {"blocks": [{}]}]
)
async def test_exactly_one_source_is_needed(
    bot: Bot, ann: ChatView, rich: dict[str, object]
) -> None:
    with pytest.raises(BadRequest):
        await send(bot, ann.id, **rich)
    assert ann.kept() == ()
