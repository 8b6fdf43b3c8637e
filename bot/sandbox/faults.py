"""Faults that a tester orders from a chat platform, so that the bot meets them on the wire."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What goes wrong."""

    REFUSE = "refuse"  # 429
    FAIL = "fail"  # an error status, or an answer that says no
    HANG = "hang"  # no answer, and nothing is carried out
    DROP = "drop"  # carried out, then the connection breaks without an answer


@dataclass(slots=True)
class Fault:
    """A fault for the next `times` calls of `method` (else of any), in `chat` if it names one."""

    kind: FaultKind
    method: str = ""
    times: int = 1
    seconds: int = 0
    status: int = 0
    text: str = ""
    chat: int | None = None


class Faults:
    """The faults that wait for their call, first ordered first served.

    The methods `only_by_name` meet none that is for any method.
    """

    def __init__(self, only_by_name: Collection[str] = ()) -> None:
        self._only_by_name = only_by_name
        self._waiting: list[Fault] = []

    def refuse_next(
        self, seconds: int, *, method: str = "", chat: int | None = None, times: int = 1
    ) -> None:
        """Answer 429: nothing more for so many seconds."""
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
        """Answer with an error, in the way of the platform."""
        fault = Fault(FaultKind.FAIL, method, times, status=status, text=text, chat=chat)
        self._waiting.append(fault)

    def hang_next(self, *, method: str = "", times: int = 1) -> None:
        """Do not answer."""
        self._waiting.append(Fault(FaultKind.HANG, method, times))

    def drop_next(self, *, method: str = "") -> None:
        """Carry the call out, then break the connection: the outcome is unknown to the caller."""
        self._waiting.append(Fault(FaultKind.DROP, method))

    def clear(self) -> None:
        """Order nothing any more."""
        self._waiting.clear()

    def take(self, method: str, chat: int | None = None) -> Fault | None:
        """The fault for this call, if there is one; it is used up."""
        for fault in self._waiting:
            if self._meets(fault, method.lower(), chat):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def _meets(self, fault: Fault, method: str, chat: int | None) -> bool:
        if fault.chat not in (None, chat):
            return False
        return fault.method.lower() == method if fault.method else method not in self._only_by_name
