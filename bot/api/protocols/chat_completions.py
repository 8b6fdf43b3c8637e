"""The protocol of `/chat/completions`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence

from bot.api.failures.errors import CallFailed
from bot.api.protocols.increments import Increments
from bot.api.protocols.pictures import InlinePictures, picture_of
from bot.api.protocols.think import ThinkSplitter
from bot.api.protocols.wire import (
    Json,
    PictureLink,
    Reader,
    WireEvent,
    broke_off,
    objects_in,
    raise_error,
)
from bot.core.chat import (
    ChatMessage,
    ChatRequest,
    FinishReason,
    ImagePart,
    Part,
    ReasoningDelta,
    Role,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
)
from bot.errors import ModelErrorKind

PATH = "/chat/completions"


def payload(request: ChatRequest) -> Json:
    """The body of a streamed request."""
    body: Json = {
        "model": request.model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        **sampling(request),
    }
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
        if request.tool_choice:
            body["tool_choice"] = tool_choice(request.tool_choice)
    return body


def sampling(request: ChatRequest) -> Json:
    """The sampling parameters that are set."""
    chosen = request.sampling
    body: Json = {
        "temperature": chosen.temperature,
        "max_tokens": chosen.max_tokens,
        "top_p": chosen.top_p,
        "n": chosen.n,
        "stop": list(chosen.stop) or None,
        "presence_penalty": chosen.presence_penalty,
        "frequency_penalty": chosen.frequency_penalty,
    }
    return {name: value for name, value in body.items() if value is not None}


def tool_choice(choice: str) -> str | Json:
    """`auto`, `none`, `required`, or the name of the one function to call."""
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def data_uri(part: ImagePart) -> str:
    """A picture as a data URI."""
    return f"data:{part.mime};base64,{base64.b64encode(part.data).decode()}"


def _message(message: ChatMessage) -> Json:
    body: Json = {"role": message.role.value, "content": _content(message.parts)}
    if message.tool_calls:
        body["content"] = body["content"] or None
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.role is Role.TOOL:
        body["tool_call_id"] = message.tool_call_id
    return body


def _content(parts: Sequence[Part]) -> str | list[Json]:
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    if len(texts) == len(parts):
        return "\n".join(texts)
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, TextPart)
        else {"type": "image_url", "image_url": {"url": data_uri(part)}}
        for part in parts
    ]


def _tool(tool: Tool) -> Json:
    parameters: object = json.loads(tool.parameters)
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


class ChatReader(Reader):
    """Reads the answer of a chat completion, streamed or whole.

    An answer is complete when a finish reason came: `[DONE]` alone proves nothing, since gateways
    send it after an upstream that broke off as well. `thinks_first`: the model is known to begin
    amid its reasoning.
    """

    def __init__(self, *, thinks_first: bool = False) -> None:
        super().__init__()
        self._has_deltas = False
        self._id: object = None
        self._keeps_id = False  # several chunks had the same
        self._thoughts = Increments()
        self._words = Increments()
        self._think = ThinkSplitter(within=thinks_first)
        self._pictures = InlinePictures()
        self._tools = ToolCalls()

    @property
    def thinks_first(self) -> bool | None:
        """Whether the answer began amid its reasoning; None where it did not tell."""
        return self._think.begins_within

    def read_whole(self, body: Json) -> list[WireEvent]:
        """Read an answer in one piece."""
        raise_error(body)
        if not body.get("choices") and not isinstance(body.get("data"), list):
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "the answer has no choices", status=200)
        return self._whole(self._event("", body, field="message"))

    def end(self) -> list[WireEvent]:
        """What was held back, and how it ended."""
        events: list[WireEvent] = []
        self._thought(self._thoughts.end(), events)
        self._text(self._words.end(), events)
        self._say(self._think.end(whole=self._ending.reason is FinishReason.STOP), events)
        self._ending.tools_called = bool(self._tools)
        return [*events, *self._pictures.end(), *super().end()]

    def _event(self, name: str, event: Json, *, field: str = "delta") -> list[WireEvent]:
        choices = event.get("choices")
        if event.get("usage"):
            self._ending.take_usage(event["usage"])
        if not choices or not isinstance(choices, list):
            raise_error(event)
            return _picture_list(event.get("data"))
        if event.get("error"):
            raise_error(event)
        choice = choices[0]
        if not isinstance(choice, dict) or choice.get("index") not in (None, 0, "0"):
            return []  # another of several answers: only the first is shown
        if choice.get("usage"):
            self._ending.take_usage(choice["usage"])
        delta = choice.get(field) or choice.get("delta") or self._message_of(choice)
        if (given := event.get("id")) == self._id:
            self._keeps_id = self._keeps_id or bool(given)
        elif self._begins_anew(given, choice, delta):
            raise CallFailed(ModelErrorKind.CUT, "another answer began behind half of one")
        events = self._delta(delta) if isinstance(delta, dict) else []
        self._has_deltas = self._has_deltas or _says_anything(choice.get("delta"))
        self._end(choice)
        return events

    def _end(self, choice: Json) -> None:
        """Take why it ended, if it did. OpenRouter says "stop" of what broke off behind it, too."""
        native = choice.get("native_finish_reason")
        reason = native if broke_off(native) else choice.get("finish_reason")
        if broke_off(reason):
            raise_error(choice)  # what went wrong, where it stands beside
        self._ending.take_reason(reason)

    def _begins_anew(self, given: object, choice: Json, delta: object) -> bool:
        """Whether another answer begins with a new id, although this one has not ended.

        new-api asks another server when the first one breaks off with an error, and writes what
        that one says behind the half answer (QuantumNous/new-api, `HandleStreamResponseData` in
        relay/channel/claude/relay-claude.go and `shouldRetry` in controller/relay.go). Such an
        answer begins with a role and no words; some servers give every chunk an id of its own, or
        one of the time, so that several have the same: an end is no beginning.
        """
        self._id = given
        return (
            self._keeps_id
            and bool(given)
            and self._has_deltas
            and not self.complete
            and not choice.get("finish_reason")
            and isinstance(delta, dict)
            and delta.get("role") == "assistant"
            and not _says_anything(delta)
        )

    def _message_of(self, choice: Json) -> object:
        """The message that some send in place of a delta; None after deltas, which it would repeat.

        MiniMax sends it at the end (https://github.com/GCWing/BitFun/pull/792).
        """
        return None if self._has_deltas else choice.get("message")

    def _delta(self, delta: Json) -> list[WireEvent]:
        events: list[WireEvent] = []
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str):
            self._thought(self._thoughts.feed(thought), events)
        content = delta.get("content")
        if content:
            self._thought(self._thoughts.end(), events)
        if isinstance(content, str):
            self._text(self._words.feed(content), events)
        elif isinstance(content, list):
            for part in content:
                self._part(part, events)
        if isinstance(delta.get("refusal"), str) and delta["refusal"]:
            self._text(delta["refusal"], events)
        images = delta.get("images")
        for image in images if isinstance(images, list) else ():
            self._part(image, events)
        for part in objects_in(delta.get("multi_mod_content")):  # AIHubMix
            is_said = content or self._has_deltas
            self._part({**part, "text": None} if is_said else part, events)
        if delta.get("tool_calls"):
            events += self._tools.read(delta["tool_calls"])
        elif isinstance(delta.get("function_call"), dict):
            events += self._tools.read([{"index": 0, "function": delta["function_call"]}])
        return events

    def _thought(self, text: str, events: list[WireEvent]) -> None:
        if text:
            self._think.expect_none()
            events.append(ReasoningDelta(text))

    def _text(self, text: str, events: list[WireEvent]) -> None:
        if text:
            self._say(self._think.feed(text), events)

    def _say(self, said: Iterable[TextDelta | ReasoningDelta], events: list[WireEvent]) -> None:
        for event in said:
            if isinstance(event, TextDelta):
                events += self._pictures.feed(event.text)
            else:
                events.append(event)

    def _part(self, part: object, events: list[WireEvent]) -> None:
        """A part of a content that is a list (Mistral), or one of the images (OpenRouter)."""
        if isinstance(part, str):
            return self._text(part, events)
        if not isinstance(part, dict):
            return None
        if isinstance(part.get("text"), str):  # empty beside a picture of AIHubMix
            self._text(part["text"], events)
        thought = part.get("thinking")
        if isinstance(thought, str):  # Anthropic's own form
            self._thought(thought, events)
        events += [
            ReasoningDelta(inner["text"])
            for inner in objects_in(thought)
            if isinstance(inner.get("text"), str)
        ]
        inline = part.get("inline_data") or part.get("inlineData")  # Google's own form
        if isinstance(inline, dict) and isinstance(inline.get("data"), str):
            events += _bare_picture(inline["data"])
        url = part.get("image_url") or part.get("url")
        url = url.get("url") if isinstance(url, dict) else url
        if isinstance(url, str):
            events += _picture(url)
        return None


class ToolCalls:
    """Gives every call its index and id, where gateways leave them away or mix them up."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._named: set[int] = set()
        self._index_of: dict[object, int] = {}  # by the index that the server uses

    def __bool__(self) -> bool:
        return bool(self._ids)

    def read(self, calls: object) -> list[ToolCallDelta]:
        """The deltas of one chunk."""
        return [self._one(call) for call in objects_in(calls)]

    def _one(self, call: Json) -> ToolCallDelta:
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        given_id = call["id"] if isinstance(call.get("id"), str) else ""
        name = function["name"] if isinstance(function.get("name"), str) else ""
        index, fresh = self._place(call.get("index"), given_id, name)
        if index in self._named:
            name = ""
        elif name:
            self._named.add(index)
        arguments = function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        return ToolCallDelta(
            index=index,
            id=self._ids[index] if fresh else "",
            name=name,
            arguments=arguments or "",
        )

    def _place(self, index: object, given_id: str, name: str) -> tuple[int, bool]:
        """Which call this belongs to, and whether it begins here."""
        if given_id and given_id in self._ids:
            return self._ids.index(given_id), False
        known = self._index_of.get(index) if index is not None else len(self._ids) - 1
        begins = known is None or known < 0 or (given_id and name and known in self._named)
        if index is None and name and known in self._named:
            begins = True
        if not begins and known is not None:
            return known, False
        place = len(self._ids)
        self._ids.append(given_id or f"call_{place}")
        self._index_of[index] = place
        return place, True


def _says_anything(delta: object) -> bool:
    """Whether a delta brings some of the answer itself: more than a role, a pause, a thought."""
    names = ("content", "refusal", "images", "multi_mod_content", "tool_calls", "function_call")
    return isinstance(delta, dict) and any(delta.get(name) for name in names)


def _bare_picture(data: str) -> list[WireEvent]:
    found = picture_of(data)
    return [found] if found else []


def _picture(url: str) -> list[WireEvent]:
    if url.startswith("data:"):
        return _bare_picture(url)
    return [PictureLink(url)] if url.startswith(("https://", "http://")) else []


def _picture_list(data: object) -> list[WireEvent]:
    """The pictures of a body in the form of `/images/generations`."""
    events: list[WireEvent] = []
    for item in objects_in(data):
        if isinstance(item.get("b64_json"), str):
            events += _bare_picture(item["b64_json"])
        elif isinstance(item.get("url"), str):
            events += _picture(item["url"])
    return events
