from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.delivery.partial import settle
from bot.core.delivery.place import Place
from bot.core.delivery.split import take_page
from tests.markdown_texts import nested_texts, words_of

AROUND = st.sampled_from([None, "", "…"])


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(nested_texts, st.integers(100, 300), st.integers(7, 23), AROUND)
def test_what_is_shown_of_a_growing_list_only_grows(
    text: str, limit: int, step: int, around: str | None
) -> None:
    place = Place(around=around)
    while text[place.start :].strip():
        body = place.body(text)
        for end in range(place.start, min(len(text), place.start + limit), step):
            assert body.startswith(settle(place.body(text[:end])))
        page = take_page(body, limit, least=place.least(text))
        after = place.after(text, page.used, page.carry)
        assert after == place.after(text[: after.start], page.used, page.carry)
        taken = body[max(0, place.least(text) - 1) : page.used]
        assert words_of(text[place.start : after.start]) == words_of(taken)
        place = after
