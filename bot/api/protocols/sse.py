"""Decodes server-sent events from bytes, as lenient as gateways are careless.

Bytes, not text: `str.splitlines` and `httpx.Response.aiter_lines` also split at U+2028, U+2029 and
U+0085, which stand raw inside JSON strings. The rules are those of the HTML standard, section
9.2.6, with three additions: gateways leave away the blank line that ends an event, so a data line
that is a JSON object by its looks, or `[DONE]`, ends the event itself; llama.cpp wrote its errors
in a field `error` until 2025, which is read as an event of that name; and a line that is a JSON
object without any field is data. For new-api sends signs of life before it knows what the model
says, and then its error behind them as the whole body that it would have been (QuantumNous/new-api,
`doRequest` in relay/channel/api_request.go and `Relay` in controller/relay.go).
"""

from __future__ import annotations

from dataclasses import dataclass

DONE = "[DONE]"
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name, empty when it has none, and its data."""

    name: str
    data: str


class SseDecoder:
    """Takes bytes cut anywhere and gives events; never raises; time linear in the bytes."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of a line whose end has not come yet
        self._after_cr = False
        self._first_line = True
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that are complete with these bytes."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == 0x0A:  # the second half of a CRLF
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._after_cr = chunk[-1] == 0x0D
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        events: list[ServerEvent] = []
        *lines, rest = chunk.split(b"\n")
        if lines and self._pieces:
            self._pieces.append(lines[0])
            lines[0] = b"".join(self._pieces)
            self._pieces.clear()
        if rest:
            self._pieces.append(rest)
        for line in lines:
            self._take(line, events)
        return events

    def end(self) -> list[ServerEvent]:
        """The stream is over: what stands without its end is an event too."""
        events: list[ServerEvent] = []
        if self._pieces:
            self._take(b"".join(self._pieces), events)
            self._pieces.clear()
        self._dispatch(events)
        return events

    def _take(self, line: bytes, events: list[ServerEvent]) -> None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(BOM)
        if not line:
            self._dispatch(events)
        elif line.startswith(b"data:"):
            start = 6 if line[5:6] == b" " else 5
            data = line[start:].decode("utf-8", "replace")
            if not self._data and (
                (data[:1] == "{" and data.rstrip()[-1:] == "}") or data.strip() == DONE
            ):
                events.append(ServerEvent(self._name, data))
                self._name = ""
            else:
                self._data.append(data)
        elif line[:1] == b"{" and line.rstrip()[-1:] == b"}" and not self._data:
            events.append(ServerEvent(self._name, line.decode("utf-8", "replace")))
            self._name = ""
        elif line.startswith((b"error: {", b"error:{")):
            error = line[6:].decode("utf-8", "replace").strip()
            events.append(ServerEvent("error", f'{{"error": {error}}}'))
        elif line.startswith(b"event:"):
            self._name = line[6:].decode("utf-8", "replace").strip()

    def _dispatch(self, events: list[ServerEvent]) -> None:
        data = "\n".join(self._data)
        if data.strip():  # else a sign of life, as some gateways give it
            events.append(ServerEvent(self._name, data))
        self._data.clear()
        self._name = ""
