"""`/responses`: an answer as a list of items, and the typed events that build it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import aclosing

from aiohttp import web

from bot.core.chat import FinishReason
from bot.sandbox.openai.backend import (
    Called,
    Ended,
    Endpoint,
    JsonObject,
    Piece,
    Question,
    Said,
    Thought,
)
from bot.sandbox.openai.call import Call
from bot.sandbox.openai.catalogue import asked
from bot.sandbox.openai.questions import responses_question


async def responses(call: Call) -> web.StreamResponse:
    """Answer a conversation in the Responses form."""
    body, card = asked(call, Endpoint.RESPONSES)
    question = responses_question(body, card)
    answer = ResponseEvents(question, tools=list(body.objects("tools")))
    streamed = body.flag("stream")
    async with aclosing(call.backend.answer(question)) as pieces:
        async for piece in pieces:
            for event in answer.take(piece):
                if streamed:
                    stream = await call.stream()
                    await stream.send(event, event=event["type"])
    if streamed:
        return (await call.stream()).response
    return await call.whole(answer.body)


class ResponseEvents:
    """Turns the pieces of an answer into the endpoint's events; `body` is the answer so far."""

    def __init__(self, question: Question, *, tools: list[JsonObject]) -> None:
        self.body: JsonObject = {
            "id": f"resp_{uuid.uuid4().hex}",
            "object": "response",
            "created_at": int(time.time()),
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": question.max_tokens,
            "model": question.model,
            "output": [],
            "parallel_tool_calls": True,
            "temperature": 1.0 if question.temperature is None else question.temperature,
            "tool_choice": question.tool_choice or "auto",
            "tools": tools,
            "top_p": 1.0 if question.top_p is None else question.top_p,
            "usage": None,
        }
        self._sequence = 0
        self._item: JsonObject | None = None

    def take(self, piece: Piece) -> Iterator[JsonObject]:
        """The events that follow from one more piece."""
        if self._sequence == 0:
            for name in ("created", "in_progress"):
                yield self._event(f"response.{name}", response=self.body.copy())
        match piece:
            case Thought():
                yield from self._open("reasoning")
                yield from self._thought(piece.text)
            case Said():
                yield from self._open("message")
                yield from self._said(piece.text)
            case Called():
                if piece.first:
                    yield from self._close()
                    yield from self._open("function_call", piece)
                yield from self._called(piece.call.arguments)
            case Ended():
                yield from self._close()
                yield self._end(piece)

    def _open(self, kind: str, call: Called | None = None) -> Iterator[JsonObject]:
        if self._item is not None and self._item["type"] == kind and call is None:
            return
        yield from self._close()
        item: JsonObject = {"id": f"{kind[:3]}_{uuid.uuid4().hex}", "type": kind}
        if kind == "message":
            item |= {"role": "assistant", "content": []}
        elif kind == "reasoning":
            item |= {"summary": []}
        elif call is not None:
            item |= {"call_id": call.call.id, "name": call.call.name, "arguments": ""}
        if kind != "reasoning":
            item["status"] = "in_progress"
        self._item = item
        self.body["output"].append(item)
        yield self._about_output("response.output_item.added", item=_copy(item))
        if kind == "message":
            part: JsonObject = {"type": "output_text", "text": "", "annotations": []}
            item["content"].append(part)
            yield self._about("response.content_part.added", content_index=0, part=part.copy())
        elif kind == "reasoning":
            part = {"type": "summary_text", "text": ""}
            item["summary"].append(part)
            name = "response.reasoning_summary_part.added"
            yield self._about(name, summary_index=0, part=part.copy())

    def _thought(self, text: str) -> Iterator[JsonObject]:
        self._current["summary"][0]["text"] += text
        name = "response.reasoning_summary_text.delta"
        yield self._about(name, summary_index=0, delta=text)

    def _said(self, text: str) -> Iterator[JsonObject]:
        self._current["content"][0]["text"] += text
        name = "response.output_text.delta"
        yield self._about(name, content_index=0, delta=text, logprobs=[])

    def _called(self, arguments: str) -> Iterator[JsonObject]:
        self._current["arguments"] += arguments
        yield self._about("response.function_call_arguments.delta", delta=arguments)

    def _close(self) -> Iterator[JsonObject]:
        item = self._item
        if item is None:
            return
        if item["type"] == "message":
            part = item["content"][0]
            text = {"text": part["text"], "logprobs": []}
            yield self._about("response.output_text.done", content_index=0, **text)
            yield self._about("response.content_part.done", content_index=0, part=part.copy())
        elif item["type"] == "reasoning":
            part = item["summary"][0]
            name = "response.reasoning_summary_text.done"
            yield self._about(name, summary_index=0, text=part["text"])
            name = "response.reasoning_summary_part.done"
            yield self._about(name, summary_index=0, part=part.copy())
        else:
            name = "response.function_call_arguments.done"
            yield self._about(name, name=item["name"], arguments=item["arguments"])
        if "status" in item:
            item["status"] = "completed"
        yield self._about_output("response.output_item.done", item=_copy(item))
        self._item = None

    def _end(self, end: Ended) -> JsonObject:
        self.body["usage"] = {
            "input_tokens": end.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": end.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": end.prompt_tokens + end.completion_tokens,
        }
        reasons = {
            FinishReason.LENGTH: "max_output_tokens",
            FinishReason.CONTENT_FILTER: "content_filter",
        }
        if end.reason in reasons:
            self.body["status"] = "incomplete"
            self.body["incomplete_details"] = {"reason": reasons[end.reason]}
        else:
            self.body["status"] = "completed"
        return self._event(f"response.{self.body['status']}", response=self.body)

    @property
    def _current(self) -> JsonObject:
        if self._item is None:
            raise RuntimeError("an item is opened before it grows")
        return self._item

    def _about(self, type_: str, **fields: object) -> JsonObject:
        return self._about_output(type_, item_id=self._current["id"], **fields)

    def _about_output(self, type_: str, **fields: object) -> JsonObject:
        return self._event(type_, output_index=len(self.body["output"]) - 1, **fields)

    def _event(self, type_: str, **fields: object) -> JsonObject:
        self._sequence += 1
        return {"type": type_, "sequence_number": self._sequence - 1, **fields}


def _copy(item: JsonObject) -> JsonObject:
    """The item as it is now: its parts go on growing."""
    lists = {
        key: [dict(part) for part in item[key]] for key in ("content", "summary") if key in item
    }
    return item | lists
