"""What is new in each piece of a text: some servers repeat all of it in every piece.

DashScope does for some of its models (https://github.com/QwenLM/qwen-code/pull/3896), and
converters in front of Gemini. Two pieces that begin alike prove nothing ("1" and "10" are "110"),
so the second waits for a third that begins with it.
"""

from __future__ import annotations

LONG = 8
"""Characters of the first piece from which on a second one that begins with it surely repeats it,
where no third one tells."""


class Increments:
    """Takes the pieces of one text as they come, and gives what each adds to it."""

    def __init__(self) -> None:
        self._known: str | None = ""  # all of it so far; None once pieces are known to be pieces
        self._repeating = False
        self._waiting = ""

    def feed(self, piece: str) -> str:
        """What is new with this piece; nothing while that cannot be told."""
        known = self._known
        if known is None or not piece:
            return piece
        if self._repeating:
            return self._rest(known, piece)
        if not known:
            self._known = piece
            return piece
        if not self._waiting:
            if len(piece) > len(known) and piece.startswith(known):
                self._waiting = piece
                return ""
        elif len(piece) > len(self._waiting) and piece.startswith(self._waiting):
            self._repeating, self._waiting = True, ""
            return self._rest(known, piece)
        waiting, self._known, self._waiting = self._waiting, None, ""
        return waiting + piece

    def end(self) -> str:
        """What has been held back, now that nothing more comes."""
        waiting, known = self._waiting, self._known or ""
        if waiting:
            self._known, self._waiting = None, ""
        return waiting[len(known) :] if len(known) >= LONG else waiting

    def _rest(self, known: str, piece: str) -> str:
        """What a piece adds that should begin with all that is known."""
        if piece.startswith(known):
            self._known = piece
            return piece[len(known) :]
        if known.startswith(piece):
            return ""
        self._known = None
        return piece
