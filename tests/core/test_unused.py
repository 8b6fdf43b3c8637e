from __future__ import annotations

import importlib
import json
import sys

import pytest

from bot.core.unused import leave_out

NAME = "an_http_client"


def test_what_is_left_out_has_every_name_and_what_is_loaded_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, NAME, json)  # taken away after the test
    del sys.modules[NAME]
    leave_out(NAME)
    leave_out("json")
    client = importlib.import_module(NAME)
    assert isinstance(client.Client, type)
    assert not hasattr(client, "__file__")
    assert importlib.import_module("json") is json
