"""aimock, an independent stand-in for the API, run by node: pinned, fetched once by npm."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = "@copilotkit/aimock@1.43.0"
_ADDRESS = re.compile(r"listening on (http://\S+)")


def is_possible() -> bool:
    """Whether node is here; it brings npm along."""
    return bool(shutil.which("node") and shutil.which("npm"))


class NotStartedError(Exception):
    """It did not start; says what npm or node printed."""


class Aimock:
    """A running aimock."""

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def base_url(self) -> str:
        """What a client takes as its base URL."""
        return f"{self._address}/v1"

    def requests(self, model: str) -> Sequence[Mapping[str, Any]]:
        """The requests for a model so far, as the journal has them."""
        with urllib.request.urlopen(f"{self._address}/__aimock/journal") as answer:
            entries = json.load(answer)
        return [entry for entry in entries if model in json.dumps(entry)]


@contextmanager
def running(folder: Path, fixtures: Sequence[Mapping[str, Any]]) -> Iterator[Aimock]:
    """Run aimock with these fixtures."""
    file = folder / "fixtures.json"
    file.write_text(json.dumps({"fixtures": fixtures}), "utf-8")
    command = ["npm", "exec", "--yes", f"--package={PACKAGE}", "--", "llmock"]
    with subprocess.Popen(
        [*command, "--port", "0", "--fixtures", str(file), "--log-level", "info"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        start_new_session=True,
    ) as process:
        try:
            yield Aimock(_address(process))
        finally:
            _kill(process)


def _address(process: subprocess.Popen[str]) -> str:
    said: list[str] = []
    assert process.stdout
    for line in process.stdout:
        said.append(line)
        if found := _ADDRESS.search(line):
            return found[1]
    raise NotStartedError("".join(said))


def _kill(process: subprocess.Popen[str]) -> None:
    """npm, and the node process below it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
