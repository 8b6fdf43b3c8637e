"""`/chat/completions` and the legacy `/completions`: answers whole and in pieces."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from aiohttp import web

from bot.core.chat import FinishReason
from bot.sandbox.openai.backend import (
    Backend,
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
from bot.sandbox.openai.parameters import Parameters
from bot.sandbox.openai.questions import chat_question, completion_questions


async def chat_completions(call: Call) -> web.StreamResponse:
    """Answer a conversation."""
    body, card = asked(call, Endpoint.CHAT)
    question = chat_question(body, card)
    questions = [question] * (body.integer("n", high=128) or 1)
    form = _Form(f"chatcmpl-{uuid.uuid4().hex}", "chat.completion", card.id)
    return await _respond(call, body, form, questions)


async def completions(call: Call) -> web.StreamResponse:
    """Go on with a text."""
    body, card = asked(call, Endpoint.COMPLETIONS)
    each = body.integer("n", high=128) or 1
    questions = [q for q in completion_questions(body, card) for _ in range(each)]
    form = _Form(f"cmpl-{uuid.uuid4().hex}", "text_completion", card.id)
    return await _respond(call, body, form, questions)


@dataclass(slots=True)
class _Form:
    """What is the same in every body of one answer."""

    id: str
    object: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def legacy(self) -> bool:
        return self.object == "text_completion"

    def body(self, choices: Sequence[JsonObject], *, chunk: bool = False) -> JsonObject:
        name = "chat.completion.chunk" if chunk and not self.legacy else self.object
        return {
            "id": self.id,
            "object": name,
            "created": self.created,
            "model": self.model,
            "choices": list(choices),
        }


@dataclass(slots=True)
class _Spent:
    """Tokens of all choices; the prompt counts once."""

    prompt: int = 0
    completion: int = 0

    def add(self, end: Ended) -> None:
        self.prompt = max(self.prompt, end.prompt_tokens)
        self.completion += end.completion_tokens

    def body(self) -> JsonObject:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
        }


async def _respond(
    call: Call, body: Parameters, form: _Form, questions: Sequence[Question]
) -> web.StreamResponse:
    if body.flag("stream"):
        with_usage = body.nested("stream_options").flag("include_usage")
        return await _stream(call, form, questions, with_usage=with_usage)
    spent = _Spent()
    choices = [
        await _whole_choice(call.backend, question, form, index, spent)
        for index, question in enumerate(questions)
    ]
    return await call.whole(form.body(choices) | {"usage": spent.body()})


async def _whole_choice(
    backend: Backend, question: Question, form: _Form, index: int, spent: _Spent
) -> JsonObject:
    text, thoughts, calls = "", "", list[JsonObject]()
    reason = FinishReason.STOP
    async with aclosing(backend.answer(question)) as pieces:
        async for piece in pieces:
            match piece:
                case Said():
                    text += piece.text
                case Thought():
                    thoughts += piece.text
                case Called(first=True):
                    calls.append(_call_body(piece))
                case Called():
                    calls[-1]["function"]["arguments"] += piece.call.arguments
                case Ended():
                    reason = piece.reason
                    spent.add(piece)
    if form.legacy:
        return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}
    message: JsonObject = {"role": "assistant", "content": text, "refusal": None}
    if calls:
        message |= {"content": text or None, "tool_calls": calls}
    if thoughts:
        message["reasoning_content"] = thoughts
    return {"index": index, "message": message, "logprobs": None, "finish_reason": reason}


async def _stream(
    call: Call, form: _Form, questions: Sequence[Question], *, with_usage: bool
) -> web.StreamResponse:
    spent = _Spent()
    extra: JsonObject = {"usage": None} if with_usage else {}
    for index, question in enumerate(questions):
        begun = False
        async with aclosing(call.backend.answer(question)) as pieces:
            async for piece in pieces:
                # Opened late: a backend that refuses still gets its status across.
                stream = await call.stream()
                if not begun and not form.legacy:
                    opening = {"role": "assistant", "content": "", "refusal": None}
                    await stream.send(form.body([_delta(index, opening)], chunk=True) | extra)
                begun = True
                choice = _piece_body(form, index, piece)
                await stream.send(form.body([choice], chunk=True) | extra)
                if isinstance(piece, Ended):
                    spent.add(piece)
    stream = await call.stream()
    if with_usage:
        await stream.send(form.body([], chunk=True) | {"usage": spent.body()})
    return await stream.done()


def _piece_body(form: _Form, index: int, piece: Piece) -> JsonObject:
    if form.legacy:
        text = piece.text if isinstance(piece, Said) else ""
        reason = piece.reason if isinstance(piece, Ended) else None
        return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}
    match piece:
        case Said():
            return _delta(index, {"content": piece.text})
        case Thought():
            return _delta(index, {"reasoning_content": piece.text})
        case Called(first=True):
            return _delta(index, {"tool_calls": [{"index": piece.index, **_call_body(piece)}]})
        case Called():
            more = {"index": piece.index, "function": {"arguments": piece.call.arguments}}
            return _delta(index, {"tool_calls": [more]})
        case Ended():
            return _delta(index, {}, piece.reason)


def _delta(index: int, delta: JsonObject, reason: FinishReason | None = None) -> JsonObject:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}


def _call_body(piece: Called) -> JsonObject:
    function = {"name": piece.call.name, "arguments": piece.call.arguments}
    return {"id": piece.call.id, "type": "function", "function": function}
