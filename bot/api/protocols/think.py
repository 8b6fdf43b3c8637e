"""Separates `<think>…</think>` from the answer, wherever the stream is cut."""

from __future__ import annotations

from bot.core.chat import ReasoningDelta, TextDelta

_TAGS = {"<think>": "</think>", "<thinking>": "</thinking>", "<thought>": "</thought>"}
"""DeepSeek and Qwen, some fine-tunes, Gemini behind OpenAI's wire."""


_OPENING, _CLOSING = "<think>", "</think>"


class ThinkSplitter:
    """Reasoning is what stands between the tags at the very beginning of an answer.

    A tag further on is part of the text: somebody may have asked about it. `within`: the answer
    is expected to begin amid the reasoning, for the opening tag stood in the model's prompt.
    """

    def __init__(self, *, within: bool = False) -> None:
        self.begins_within: bool | None = None
        """Whether the answer began amid its reasoning; None where it did not tell."""
        self._expected = within
        self._thought: list[str] = []  # what was expected to be reasoning
        self._seen = ""  # the end of the text, in which half a tag may stand
        self._held = ""
        self._closing = ""  # the tag that ends the reasoning while inside it
        self._text = False  # the answer itself has begun
        self._strip = False

    def feed(self, text: str) -> list[TextDelta | ReasoningDelta]:
        """Split more of the answer."""
        if self._text and not self._strip:
            self._look(text)
            return [TextDelta(text)] if text else []
        self._held += text
        if self._closing:
            return self._inside()
        if self._text:
            return self._after()
        return self._before()

    def expect_none(self) -> None:
        """The reasoning came in a field of its own: all text is the answer, without any tag."""
        self._expected = False
        if self.begins_within is None:
            self.begins_within = False

    def end(self, *, whole: bool = True) -> list[TextDelta | ReasoningDelta]:
        """The answer is over: what was held back might have become a tag, and did not.

        `whole`: the model ended it by itself, so that it cannot have been reasoning alone.
        """
        held, self._held = self._held, ""
        if self._thought and whole:  # it was the answer after all
            self.begins_within = False
            return [TextDelta("".join([*self._thought, held]))]
        if not held or self._strip:
            return []
        return [ReasoningDelta(held) if self._closing else TextDelta(held)]

    def _before(self) -> list[TextDelta | ReasoningDelta]:
        start = self._held.lstrip()
        for opening, closing in _TAGS.items():
            if start.startswith(opening):
                self._closing, self._held = closing, start[len(opening) :]
                self.begins_within = False
                return self._inside()
        if not start or any(opening.startswith(start) for opening in _TAGS):
            return []
        if self._expected:
            self._closing = _CLOSING
            return self._inside()
        self._text = True
        held, self._held = self._held, ""
        self._look(held)
        return [TextDelta(held)]

    def _look(self, text: str) -> None:
        """Look whether a reasoning ends here that never began."""
        if self.begins_within is not None:
            return
        seen = self._seen + text
        if _CLOSING in seen:
            self.begins_within = _OPENING not in seen.partition(_CLOSING)[0]
        elif _OPENING in seen:
            self.begins_within = False
        self._seen = seen[1 - len(_CLOSING) :]

    def _inside(self) -> list[TextDelta | ReasoningDelta]:
        reasoning, tag, rest = self._held.partition(self._closing)
        if not tag:
            cut = len(self._held) - _overlap(self._held, self._closing)
            reasoning, self._held = self._held[:cut], self._held[cut:]
            if self._expected and self.begins_within is None:
                self._thought.append(reasoning)
            return [ReasoningDelta(reasoning)] if reasoning else []
        self._thought.clear()
        self._closing, self._text, self._strip, self._held = "", True, True, rest
        before: list[TextDelta | ReasoningDelta] = [ReasoningDelta(reasoning)] if reasoning else []
        return before + self._after()

    def _after(self) -> list[TextDelta | ReasoningDelta]:
        """White space between the tag and the answer belongs to neither."""
        text, self._held = self._held.lstrip(), ""
        if not text:
            return []
        self._strip = False
        return [TextDelta(text)]


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)
