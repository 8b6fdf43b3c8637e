"""What `bot check` says about the API: a line per base URL, and one per configured model."""

from __future__ import annotations

import difflib
import random
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from bot.api.client import ApiClient
from bot.api.settings import ApiSettings, is_private
from bot.core.clock import SystemClock
from bot.core.i18n import N_
from bot.core.models import ModelInfo
from bot.core.phrases import Phrase, listed
from bot.core.types import Finding
from bot.errors import ModelError, ModelErrorKind

FORBIDDEN = 403
_NO_KEY = N_(
    "set api.key, or BOT_API__KEY in the environment; "
    "if the server asks for no key, any word will do"
)
_CHECK_URL = N_("check the URL; it usually ends in /v1")
_FIXES = {
    ModelErrorKind.BAD_KEY: N_("set a valid key: api.key, or BOT_API__KEY in the environment"),
    ModelErrorKind.QUOTA: N_("top up the account's balance"),
    ModelErrorKind.UNSUPPORTED: _CHECK_URL,
    ModelErrorKind.BAD_ANSWER: _CHECK_URL,
    ModelErrorKind.UNREACHABLE: N_("check the URL and the network; behind a proxy, set api.proxy"),
    ModelErrorKind.TIMEOUT: N_("check the network; behind a proxy, set api.proxy"),
    ModelErrorKind.RATE_LIMITED: N_("wait a minute; then check again"),
}
_FORBIDDEN = N_(
    "set a key that may do this in api.key; if the API does not serve your country, set api.proxy"
)
_NOT_FOR_WORDS = ("api.image_model", "api.transcription_model", "api.embedding_model")
_LATER = N_("try again later; the fault is the server's")


async def check_api(settings: ApiSettings, others: Mapping[str, str]) -> Sequence[Finding]:
    """Ask every base URL for its models, and look for the configured ones among them.

    `others` are models of other tables, by what to call their key.
    """
    # A server of the operator's own often asks for no key.
    is_ours = any(is_private(urlsplit(url).hostname or "") for url in settings.base_urls)
    if settings.key is None and not is_ours:
        text, fix = Phrase("not set"), Phrase(_NO_KEY)
        return [Finding(ok=False, subject=Phrase("API key"), text=text, fix=fix)]
    findings: list[Finding] = []
    infos: Sequence[ModelInfo] = ()
    for url in settings.base_urls:
        finding, models = await _check_url(settings, url)
        findings.append(finding)
        infos = infos or models
    for name, model in (_models(settings) | dict(others)).items():
        findings.append(_check_model(name, model, infos))
    return findings


async def _check_url(settings: ApiSettings, url: str) -> tuple[Finding, Sequence[ModelInfo]]:
    alone = settings.model_copy(update={"base_urls": (url,), "retries": 0})
    client = ApiClient(alone, clock=SystemClock(), dice=random.Random())
    subject = f"API {url}"
    try:
        models = await client.models()
    except ModelError as error:
        fix = Phrase(_FIXES.get(error.kind, _LATER))
        if error.kind is ModelErrorKind.BAD_KEY and error.status == FORBIDDEN:
            fix = Phrase(_FORBIDDEN)
        if error.kind in (ModelErrorKind.UNSUPPORTED, ModelErrorKind.BAD_ANSWER) and not (
            url.endswith("/v1")
        ):
            fix = Phrase("the base URL usually ends in /v1; try {url}", url=f"{url}/v1")
        return Finding(ok=False, subject=subject, text=error.detail or error.kind, fix=fix), ()
    finally:
        await client.close()
    key = Phrase("no key asked for") if settings.key is None else Phrase("key accepted")
    text = Phrase("{key}, {count} models", key=key, count=len(models))
    return Finding(ok=True, subject=subject, text=text), models


def _models(settings: ApiSettings) -> dict[str, str]:
    """The configured models by the name of their key; the chat model always."""
    configured = {
        "api.model": settings.model,
        "api.image_model": settings.image_model,
        "api.transcription_model": settings.transcription_model,
        "api.embedding_model": settings.embedding_model,
    }
    return {name: model for name, model in configured.items() if model or name == "api.model"}


def _check_model(name: str, model: str, infos: Sequence[ModelInfo]) -> Finding:
    known = [info.id for info in infos]
    if not model:
        example = next((info.id for info in infos if info.purpose is None), "")
        fix = Phrase("set {key}", key=name)
        if example:
            fix = Phrase("set {key}, for example to {model}", key=name, model=example)
        text = Phrase("not set; people must choose with /model")
        return Finding(ok=False, subject=name, text=text, fix=fix)
    if not known:
        text = Phrase("{model}: there is no list of models", model=model)
        return Finding(ok=False, subject=name, text=text, fix=Phrase("see the lines above"))
    if model in known:
        if name not in _NOT_FOR_WORDS and infos[known.index(model)].purpose is not None:
            text = Phrase("{model}: cannot answer in words", model=model)
            fix = Phrase("set {key} to a model for chats", key=name)
            return Finding(ok=False, subject=name, text=text, fix=fix)
        return Finding(ok=True, subject=name, text=model)
    near = difflib.get_close_matches(model, known, n=3, cutoff=0.4)
    fix = Phrase("/model in a chat lists them all")
    if near:
        fix = Phrase("the nearest are {models}", models=listed(near))
    text = Phrase("{model}: the API does not list it", model=model)
    return Finding(ok=False, subject=name, text=text, fix=fix)
