"""The protocol of `/responses` (OpenAI API reference, "Responses" and "Streaming events")."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.api.failures.errors import CallFailed
from bot.api.protocols.chat_completions import data_uri
from bot.api.protocols.pictures import picture_of
from bot.api.protocols.wire import Json, Reader, WireEvent, objects_in, raise_error
from bot.core.chat import (
    ChatMessage,
    ChatRequest,
    Part,
    ReasoningDelta,
    Role,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
)
from bot.errors import ModelErrorKind

PATH = "/responses"


def payload(request: ChatRequest) -> Json:
    """The body of a streamed request. Nothing is stored at the API: the history is ours."""
    chosen = request.sampling
    body: Json = {
        "model": request.model,
        "input": [item for message in request.messages for item in _items(message)],
        "stream": True,
        "store": False,
        "temperature": chosen.temperature,
        "top_p": chosen.top_p,
        "max_output_tokens": chosen.max_tokens,
        "tools": [_tool(tool) for tool in request.tools] or None,
    }
    if request.tools and request.tool_choice:
        named = request.tool_choice not in ("auto", "none", "required")
        choice = {"type": "function", "name": request.tool_choice}
        body["tool_choice"] = choice if named else request.tool_choice
    return {name: value for name, value in body.items() if value is not None}


def _items(message: ChatMessage) -> list[Json]:
    if message.role is Role.TOOL:
        output = {"call_id": message.tool_call_id, "output": message.text}
        return [{"type": "function_call_output", **output}]
    items: list[Json] = []
    if message.parts:
        content = _content(message.parts, answer=message.role is Role.ASSISTANT)
        items.append({"role": message.role.value, "content": content})
    items += [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        for call in message.tool_calls
    ]
    return items


def _content(parts: Sequence[Part], *, answer: bool) -> list[Json]:
    kind = "output_text" if answer else "input_text"
    return [
        {"type": kind, "text": part.text}
        if isinstance(part, TextPart)
        else {"type": "input_image", "image_url": data_uri(part)}
        for part in parts
    ]


def _tool(tool: Tool) -> Json:
    parameters: object = json.loads(tool.parameters)
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters,
        "strict": False,
    }


class ResponseReader(Reader):
    """Reads a response, streamed or whole."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[object, int] = {}  # by output index
        self._with_arguments: set[int] = set()
        self._spoke = False

    def _event(self, name: str, event: Json) -> list[WireEvent]:
        kind = event.get("type") or name
        match kind:
            case "response.output_text.delta" | "response.refusal.delta":
                return self._text(event.get("delta"))
            case "response.reasoning_text.delta" | "response.reasoning_summary_text.delta":
                delta = event.get("delta")
                return [ReasoningDelta(delta)] if isinstance(delta, str) and delta else []
            case "response.output_item.added" | "response.output_item.done":
                return self._item(event.get("item"), event.get("output_index"))
            case "response.function_call_arguments.delta":
                return self._arguments(event.get("output_index"), event.get("delta"))
            case "response.completed" | "response.incomplete" | "response.failed":
                return self._close(event.get("response"), str(kind))
            case "error":
                raise_error({**event, "type": "error"})
        raise_error(event)
        return []

    def read_whole(self, body: Json) -> list[WireEvent]:
        """Read a response in one piece."""
        if isinstance(body.get("error"), dict):
            raise_error({"error": body["error"]})
        if body.get("object") != "response" and not isinstance(body.get("output"), list):
            raise_error(body)
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "the answer is no response", status=200)
        return self._close(body, f"response.{body.get('status') or 'completed'}")

    def end(self) -> list[WireEvent]:
        """How it ended."""
        self._ending.tools_called = bool(self._calls)
        return super().end()

    def _text(self, text: object) -> list[WireEvent]:
        if not isinstance(text, str) or not text:
            return []
        self._spoke = True
        return [TextDelta(text)]

    def _item(self, item: object, index: object) -> list[WireEvent]:
        """An output item began or ended; deltas may or may not come between."""
        if not isinstance(item, dict):
            return []
        if item.get("type") == "image_generation_call" and isinstance(item.get("result"), str):
            picture = picture_of(item["result"])
            return [picture] if picture else []
        if item.get("type") != "function_call":
            return []
        if index not in self._calls:
            self._calls[index] = len(self._calls)
            place = self._calls[index]
            arguments = str(item.get("arguments") or "")
            if arguments:
                self._with_arguments.add(place)
            given = str(item.get("call_id") or item.get("id") or f"call_{place}")
            name = str(item.get("name") or "")
            return [ToolCallDelta(index=place, id=given, name=name, arguments=arguments)]
        if self._calls[index] not in self._with_arguments:
            return self._arguments(index, item.get("arguments"))
        return []

    def _arguments(self, index: object, delta: object) -> list[WireEvent]:
        if index not in self._calls or not isinstance(delta, str) or not delta:
            return []
        self._with_arguments.add(self._calls[index])
        return [ToolCallDelta(index=self._calls[index], arguments=delta)]

    def _close(self, response: object, kind: str) -> list[WireEvent]:
        """The response is over: what no delta has told stands in its output, or nowhere."""
        response = response if isinstance(response, dict) else {}
        self._ending.take_usage(response.get("usage"))
        if kind == "response.failed":
            raise_error({"error": response.get("error") or "the response failed"})
        self.done = True
        events: list[WireEvent] = []
        spoke = self._spoke
        for index, item in enumerate(objects_in(response.get("output"))):
            if item.get("type") == "message" and not spoke:
                for part in item.get("content") or ():
                    events += self._text(part.get("text") or part.get("refusal"))
            elif item.get("type") == "function_call":
                events += self._item(item, index)
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        self._ending.take_reason(reason or ("length" if kind.endswith("incomplete") else "stop"))
        return events
