"""The protocol of `/completions`, for models that only continue a text."""

from __future__ import annotations

from bot.api.failures.errors import CallFailed
from bot.api.protocols.chat_completions import sampling
from bot.api.protocols.wire import Json, Reader, WireEvent, raise_error
from bot.core.chat import ChatMessage, ChatRequest, Role, TextDelta
from bot.errors import ModelErrorKind

PATH = "/completions"
ANSWER_TOKENS = 1_024
"""Asked for when the request sets no limit: the endpoint's own default is 16."""
_SPEAKERS = {Role.USER: "User", Role.ASSISTANT: "Assistant", Role.TOOL: "Tool"}


def payload(request: ChatRequest) -> Json:
    """The body of a streamed request: the conversation as a script, to be continued."""
    return {
        "model": request.model,
        "prompt": _script(request.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": ANSWER_TOKENS,
        "stop": ["\nUser:"],
        **sampling(request),
    }


def _script(messages: tuple[ChatMessage, ...]) -> str:
    lines = [
        message.text
        if message.role is Role.SYSTEM
        else f"{_SPEAKERS[message.role]}: {message.text}"
        for message in messages
    ]
    return "\n\n".join([*lines, "Assistant:"])


class CompletionReader(Reader):
    """Reads the answer of a completion, streamed or whole."""

    def __init__(self) -> None:
        super().__init__()
        self._began = False

    def read_whole(self, body: Json) -> list[WireEvent]:
        """Read an answer in one piece."""
        raise_error(body)
        if not body.get("choices"):
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "the answer has no choices", status=200)
        return self._whole(self._event("", body))

    def _event(self, name: str, chunk: Json) -> list[WireEvent]:
        raise_error(chunk)
        self._ending.take_usage(chunk.get("usage"))
        choices = chunk.get("choices")
        if not choices or not isinstance(choices[0], dict) or choices[0].get("index"):
            return []
        text = choices[0].get("text") or ""
        if not self._began:  # the script ends before the space
            text = text.lstrip()
            self._began = bool(text)
        self._ending.take_reason(choices[0].get("finish_reason"))
        return [TextDelta(text)] if text else []
