from __future__ import annotations

import pytest

from tests.core.delivery.scene import Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()
