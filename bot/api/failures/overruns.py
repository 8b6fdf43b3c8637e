"""Reads by how much a request was too long, out of the words in which servers say it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bot.errors import UNTOLD, Overrun

SMALLEST, LARGEST = 256, 100_000_000
"""Tokens of a window; what is outside is another number."""
_N = r"(\d[\d,_]*)"
_LIMITS = (
    # vLLM, SGLang, LM Studio, llama.cpp
    rf"context (?:length|size|window)(?: of| is)?(?: only)? \(?{_N} tokens",
    # OpenAI, vLLM, DeepSeek, OpenRouter, SambaNova, Fireworks, xAI
    rf"max(?:imum)? (?:context|prompt|input|sequence|model|allowed) (?:length|size|window)"
    rf"(?: of| is|:)?(?: \S+ is)? \(?{_N}",
    rf"(?:max_seq_len \(|n_ctx \(|max_total_tokens=){_N}",  # SGLang, LM Studio, vLLM
    rf"> {_N}",  # Anthropic: “210000 tokens > 200000 maximum”, “190000 + 20000 > 200000”
    rf"maximum number of (?:input )?tokens allowed(?: of| is|:)? \(?{_N}",  # Google
    rf"range of input length should be \[\d+, ?{_N}\]",  # DashScope
    rf"token limit: {_N}",  # Moonshot
    rf"model (?:limit|maximum) \({_N}",
    rf"model with {_N} maximum context",  # Mistral
    rf"must (?:be <=|have less than) {_N}",  # Hugging Face, Together
    rf"cannot exceed {_N}",  # Cohere
    rf"limit of {_N}",  # OpenAI (“configured limit of”), GitHub
    rf"limit is {_N}",  # Cerebras
    rf"exceed context window of {_N}",  # llama-cpp-python
    rf"exceeds? the maximum length(?: of)? {_N}",  # Volcengine
    rf"tokens per (?:min|minute|day) \(TP[MD]\): Limit {_N}",  # OpenAI, Groq: never more at once
)
_ASKED = (  # not what is “Requested” of a minute's tokens: the answer's limit is counted in
    rf"{_N} (?:tokens )?(?:in|from|of) (?:the )?(?:messages|prompt|(?:text )?input)",
    rf"{_N} (?:input tokens|`inputs` tokens)",
    rf"(?:prompt|input) is too long: {_N}",
    rf"exceed context limit: {_N} \+",
    rf"token count \(?(?:of )?{_N}",
    rf"(?:resulted in|requested(?: about)?|contains?|take|received|first) {_N} tokens",
    rf"(?:request|input|input length) \({_N} tokens",
    rf"(?:prompt \(length|prompt[_ ]tokens \(|n_keep \() ?{_N}",
    rf"requested tokens \({_N}\)",
    rf"input length {_N} exceeds",
    rf"(?:requested:|received|Current length is|Given:) {_N}",
)
_PICTURES = re.compile(
    r"at most (?P<vllm>\d+) images?\b|(?:too many images|number of images|limit-mm-per-prompt)"
    r"(?:.{0,80}?(?:up to|max(?:imum)?(?: allowed)?(?: is| of)?) (?P<most>\d+))?",
    re.IGNORECASE | re.DOTALL,
)
BLIND = re.compile(
    r"image input is not (?:supported|enabled)|missing data required for image input"
    r"|(?:\bnot?|n't|cannot)\b[^.,:;]{0,40}\bsupport (?:images?|vision)\b"
    r"(?! (?:of|in|with|from|up|over|above|larger|bigger|formats?|types?)\b)"
    r"|image_url is only supported|unknown variant `?image_url|not a (?:multimodal model|VLM)\b"
    r"|content must be a string|Unexpected item type in content"
    r"|type 参数非法，取值范围 \['text'\]",
    re.IGNORECASE,
)
"""llama.cpp, Ollama, Mistral, OpenRouter, new-api, OpenAI, DeepSeek, vLLM, SiliconFlow, Groq,
DashScope, Zhipu. What is said of one format or size is not meant: the model would count as blind
for everybody."""


def read_pictures(error: Mapping[str, str]) -> Overrun:
    """How many pictures a model takes, where an error says that there were too many."""
    if BLIND.search(error["message"]):
        return Overrun(pictures=0)
    found = _PICTURES.search(error["message"])
    if found is None:
        return UNTOLD
    return Overrun(pictures=int(found["vllm"] or found["most"] or 1))


def read_overrun(error: Mapping[str, str]) -> Overrun:
    """The limit and the size of the request, as far as the words of an error tell them."""
    words = error["message"]
    if "string too long" in words.lower():  # these are characters
        return UNTOLD
    limit = _number([error["limit"], *_found(_LIMITS, words)], at_least=SMALLEST)
    asked = _number([error["asked"], *_found(_ASKED, words)], at_least=1)
    return Overrun(limit=limit, asked=asked)


def _found(patterns: Iterable[str], words: str) -> Iterable[str]:
    for pattern in patterns:
        for match in re.finditer(pattern, words, re.IGNORECASE):
            yield match[1]


def _number(found: Iterable[str], *, at_least: int) -> int | None:
    numbers = (int(re.sub(r"[,_]", "", each)) for each in found if each)
    return next((number for number in numbers if at_least <= number <= LARGEST), None)
