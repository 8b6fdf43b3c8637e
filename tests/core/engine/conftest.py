from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.house import SLOW, TOGETHER, House, open_house


@pytest.fixture
async def sociable(tmp_path: Path) -> AsyncGenerator[House]:
    """It answers short messages together; the first is answered slowly, the others at once."""
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW)
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        yield house
