from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.desk import markup
from tests.sandbox.phone.test_markup import Reader

NAMES = {"U1": "Ann <3"}
SIGNS = "ab<>&\"'\n 中😀`*_[](!)|-#@:/"


@given(st.text(st.sampled_from(SIGNS), max_size=40))
def test_nothing_that_is_written_is_taken_for_a_tag(text: str) -> None:
    for page in (markup.from_markdown(text), markup.from_mrkdwn(text, NAMES)):
        assert Reader(page.replace("<br />", "").replace("<hr />", "")).open == []
    assert "<img" not in markup.from_markdown(f"![{text}](https://x.example/a.png)")


def test_an_answer_is_drawn_as_slack_draws_it() -> None:
    page = markup.from_markdown(
        "# Title\n\none\ntwo\n\n- **a**\n\n| a | b |\n|---|---|\n| <i> | ~~2~~ |\n\n"
        "```py\nx = 1 < 2\n```\n"
    )
    for part in (
        "<h1>Title</h1>",
        "one<br />",
        "<strong>a</strong>",
        "<td>&lt;i&gt;</td>",
        "<s>2</s>",
        '<pre data-language="py">x = 1 &lt; 2</pre>',
    ):
        assert part in page


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "file:///etc"])
def test_a_link_leads_only_where_a_browser_may_follow(address: str) -> None:
    assert "href" not in markup.from_markdown(f"[here]({address})")
    assert "href" not in markup.from_mrkdwn(f"<{address}|here>", NAMES)
    good = "https://example.com/?a=1&b=2"
    for page in (markup.from_markdown(f"[here]({good})"), markup.from_mrkdwn(f"<{good}>", NAMES)):
        assert Reader(page).links == [good]


def test_words_of_people_show_mentions_by_name_and_code_as_code() -> None:
    page = markup.from_mrkdwn("<@U1> and <#C1|trip>: `1 &lt; 2`\n```\na\nb\n```", NAMES)
    assert '<span class="mention">@Ann &lt;3</span> and <span class="mention">#trip</span>' in page
    assert "<code>1 &lt; 2</code>" in page
    assert "<pre>a\nb</pre>" in page


def test_thoughts_are_folded_and_steps_are_listed() -> None:
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": "They <want>"}]}
    card = {
        "type": "task_card",
        "title": "Thought for 2 s",
        "details": {"type": "rich_text", "elements": [words]},
    }
    page = markup.from_blocks([card])
    assert "<summary>Thought for 2 s</summary>" in page
    assert "They &lt;want&gt;" in page
    steps = markup.from_tasks([{"title": "Drawing <it>", "status": "complete"}])
    assert '<li class="complete">Drawing &lt;it&gt;</li>' in steps
