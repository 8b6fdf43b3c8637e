"""A stand-in for the OpenAI-compatible API, spoken to over real HTTP on the loopback.

Two kinds of models stand behind the same wire: real small ones on this machine's CPU
(`async with serve_local() as url`; the extra `local`), and a scripted one for tests.

A test's view of the scripted API::

    async with serve_scripted() as api:              # no key asked for; `key="..."` asks for one
        client = Client(api.url)                     # http://127.0.0.1:PORT/v1
        api.script.answer("Hello **there**")         # the next answers, in order; then the default,
        api.script.answer(Answer(text="…", chunk=4, pace=0.02, reasoning="hm"))  # which echoes
        api.script.answer_with(lambda question: question.last_text.upper())
        api.script.windows["gpt-4o"] = Window(tokens=8192)  # longer questions are refused
        api.script.transcribe("What is said in the next recording")
        api.faults.add(Refuse(429, retry_after=2))   # the next request to any endpoint
        api.faults.add(Cut(after=3), on="/chat/completions", times=2)
        api.faults.add(Stall(after=1), on="/chat/completions", times=None)  # until `clear()`

        await api.traffic.until(lambda seen: seen.in_flight == 1)    # no sleeping
        api.traffic.requests[-1].json["messages"]    # what was asked
        api.traffic.most_in_flight                   # the high-water mark
        await api.traffic.until(lambda seen: seen.abandoned == 1)    # Stop closed the stream

`bot.sandbox.openai.faults` lists what can go wrong; `bot.sandbox.openai.scripted` the models,
and `bot.sandbox.openai.windows` the words in which servers refuse what is too long.
"""

from __future__ import annotations

from bot.sandbox.openai.serving import ScriptedApi, serve_local, serve_scripted

__all__ = ["ScriptedApi", "serve_local", "serve_scripted"]
