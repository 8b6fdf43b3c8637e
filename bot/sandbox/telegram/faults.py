"""Faults a tester can order, so that the bot meets them on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What goes wrong."""

    REFUSE = "refuse"  # 429
    FAIL = "fail"  # an error status
    HANG = "hang"  # no answer ever, and nothing is carried out
    DROP = "drop"  # carried out, then the connection breaks without an answer


DOWNLOAD = "download"
"""The name under which fetching a file takes part."""

_ONLY_BY_NAME = ("getupdates", DOWNLOAD)


@dataclass(slots=True)
class Fault:
    """A fault for the next `times` calls of `method`.

    Without a method it is for every one but `getUpdates` and `download` (fetching a file).
    """

    kind: FaultKind
    method: str = ""
    times: int = 1
    seconds: int = 0
    status: int = 0
    text: str = ""
    chat: int | None = None

    def meets(self, method: str, chat: int | None) -> bool:
        """Whether this fault is meant for such a call."""
        if self.chat is not None and self.chat != chat:
            return False
        return self.method.lower() == method if self.method else method not in _ONLY_BY_NAME


class Faults:
    """The faults that are waiting for a call. `slow` seconds pass before every answer."""

    def __init__(self) -> None:
        self.slow = 0.0
        self._waiting: list[Fault] = []

    def refuse_next(
        self, seconds: int, *, method: str = "", chat: int | None = None, times: int = 1
    ) -> None:
        """Answer 429 with `retry_after` in seconds."""
        fault = Fault(FaultKind.REFUSE, method, times, seconds=seconds, chat=chat)
        self._waiting.append(fault)

    def fail_next(
        self,
        status: int,
        text: str = "",
        *,
        method: str = "",
        chat: int | None = None,
        times: int = 1,
    ) -> None:
        """Answer with an error. Above 500 it is the HTML page of a proxy, as the real one's."""
        fault = Fault(FaultKind.FAIL, method, times, status=status, text=text, chat=chat)
        self._waiting.append(fault)

    def hang_next(self, *, method: str = "", chat: int | None = None, times: int = 1) -> None:
        """Never answer."""
        self._waiting.append(Fault(FaultKind.HANG, method, times, chat=chat))

    def drop_next(self, *, method: str = "", chat: int | None = None, times: int = 1) -> None:
        """Carry the call out, then break the connection: the outcome is unknown to the caller."""
        self._waiting.append(Fault(FaultKind.DROP, method, times, chat=chat))

    def clear(self) -> None:
        """Order nothing any more."""
        self._waiting.clear()
        self.slow = 0.0

    def take(self, method: str, chat: int | None) -> Fault | None:
        """The fault for this call, if there is one; it is used up."""
        for fault in self._waiting:
            if fault.meets(method, chat):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
