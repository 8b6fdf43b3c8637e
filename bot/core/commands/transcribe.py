"""Writing down what is said: `/transcribe`, and what a chat may choose instead of answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.core.answer.patience import patiently
from bot.core.answer.revival import offer_revival, passing
from bot.core.chat import NewMessage, Role, TextPart
from bot.core.commands.settings import shortcut
from bot.core.commands.table import MEDIA, Command, did_you_mean
from bot.core.delivery.delivery import Delivery
from bot.core.i18n import N_
from bot.core.models import UsageEntry
from bot.core.punctuation import in_a_row
from bot.core.question.attachments import SPEECH, fetched, kind_of
from bot.core.question.listening import Heard, Transcriber, name_of
from bot.core.queue import Outcome
from bot.core.sentences import sentence_for_listening, sentence_for_media
from bot.core.turn import TurnContext
from bot.core.types import Attachment, IncomingMessage
from bot.errors import FileTooLarge, MediaError, ModelError, ModelErrorKind

log = logging.getLogger(__name__)

WORDLESS = "[a recording, to be written down]"
"""What the conversation keeps as the question where nobody wrote one, for the model to read."""
_SAID = "[What is said in the recording:]"
KEPT = 4_000
"""Characters of a transcript that the conversation remembers."""
LANGUAGES = {
    "ar": ("arabic", "العربية", "阿拉伯语"),
    "de": ("german", "deutsch", "德语", "德文"),
    "en": ("english", "英语", "英文"),
    "es": ("spanish", "español", "西班牙语"),
    "fr": ("french", "français", "法语", "法文"),
    "hi": ("hindi", "印地语"),
    "it": ("italian", "italiano", "意大利语"),
    "ja": ("japanese", "日本語", "日语", "日文"),
    "ko": ("korean", "한국어", "韩语", "韩文"),
    "nl": ("dutch", "nederlands", "荷兰语"),
    "pl": ("polish", "polski", "波兰语"),
    "pt": ("portuguese", "português", "葡萄牙语"),
    "ru": ("russian", "русский", "俄语", "俄文"),
    "tr": ("turkish", "türkçe", "土耳其语"),
    "uk": ("ukrainian", "українська", "乌克兰语"),
    "vi": ("vietnamese", "tiếng việt", "越南语"),
    "zh": ("chinese", "中文", "汉语", "普通话", "国语", "粤语"),
}
"""What people call the languages that are spoken to the bot most; any code of two letters works."""


async def transcribe(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome | None:
    """Write down the recording that came with the command, or that it replies to."""
    _ = ctx.texts.gettext
    language = language_of(argument)
    if language is None:
        names = [name for known in LANGUAGES.values() for name in known]
        text = _("I do not know the language “{name}”.").format(name=argument)
        hint = did_you_mean(ctx.texts, names, argument)
        example = _("Write its name or its code: `/transcribe de`")
        await ctx.say(in_a_row(ctx.texts, text, hint or example))
        return None
    recordings = recordings_of(message)
    if not recordings:
        await ctx.say(
            _(
                "Reply to a recording with `/transcribe`, or write it under one that you send. "
                "`/transcribe de` says that it is German."
            )
        )
        return None
    return await write_down(ctx, message, recordings, language=language)


def recordings_of(message: IncomingMessage) -> tuple[Attachment, ...]:
    """The recordings in a message, else in the one it replies to."""
    quoted = message.reply_to.attachments if message.reply_to else ()
    for files in (message.attachments, quoted):
        found = tuple(file for file in files if kind_of(file) in SPEECH)
        if found:
            return found
    return ()


def is_only_speech(message: IncomingMessage) -> bool:
    """Whether somebody said something, and did nothing else."""
    files = message.attachments
    return bool(files) and not message.text.strip() and all(kind_of(f) in SPEECH for f in files)


async def instead_of_answering(ctx: TurnContext, message: IncomingMessage) -> Outcome | None:
    """What happens to mere speech where a chat wants no answers to it; None: it is answered."""
    wish = ctx.settings.voice
    if wish not in ("transcribe", "off") or not is_only_speech(message):
        return None
    if wish == "off":
        text = ctx.texts.gettext(
            "Voice messages are switched off in this chat. `/voice` switches them on."
        )
        await ctx.say(text)
        return Outcome()
    return await write_down(ctx, message, message.attachments)


async def write_down(
    ctx: TurnContext,
    message: IncomingMessage,
    recordings: Sequence[Attachment],
    *,
    language: str = "",
) -> Outcome:
    """Write recordings down and say it; long ones as files. Raises `PlatformError`."""
    _ = ctx.texts.gettext
    usage: list[UsageEntry] = []
    heard: list[tuple[str, Heard]] = []
    delivery = ctx.delivery(message)

    async def work() -> None:
        heard.clear()  # what was written down a short while ago is not paid again
        transcriber = Transcriber(ctx, delivery.status, usage)
        for recording in recordings:
            async with fetched(ctx, recording) as path:
                found = await transcriber.listen(path, recording, language=language, timed=True)
                heard.append((name_of(recording), found))

    with ctx.charging(lambda: usage):
        async with delivery:
            try:
                async with ctx.platform.typing(ctx.chat, message.ref):
                    done = await ctx.guard(patiently(ctx, work, status=delivery.status))
            except ModelError as error:
                if error.kind is not ModelErrorKind.NOT_ALLOWED:  # by us: nothing has failed
                    log.warning("transcription failed", extra={**ctx.log, "kind": error.kind.value})
                model = ctx.services.defaults.transcription_model
                text = "⚠️ " + sentence_for_listening(error, ctx.texts, model=model)
                return await _give_up(ctx, delivery, text, usage, passing(error))
            except (MediaError, FileTooLarge) as error:
                text = sentence_for_media(error, ctx.texts)
                return await _give_up(ctx, delivery, text, usage, passing(error))
            if not done:
                await delivery.finish(mark=_("⏹ Stopped."))
                return Outcome(usage=tuple(usage))
            delivery.write("\n\n".join(f"🎤 {found.excerpt}" for _, found in heard))
            files = [file for name, found in heard if found.is_long for file in found.files(name)]
            shown = await delivery.finish(files=files)
    asked, wrote = _remembered(message, "\n\n".join(found.text for _, found in heard))
    return Outcome(messages=(asked, replace(wrote, shown=shown)), usage=tuple(usage))


def _remembered(message: IncomingMessage, words: str) -> tuple[NewMessage, NewMessage]:
    """What the conversation keeps of a recording that was written down."""
    asked = NewMessage(
        role=Role.USER,
        parts=(TextPart(message.text.strip() or WORDLESS),),
        sender_id=message.sender.id,
        sender_name=message.sender.name,
        shown=(message.ref,),
    )
    wrote = NewMessage(role=Role.ASSISTANT, parts=(TextPart(f"{_SAID} {words[:KEPT]}"),))
    return asked, wrote


def is_transcript(answer: NewMessage) -> bool:
    """Whether this is what is kept of a recording that was written down: no model said it."""
    return not answer.model and answer.text.startswith(_SAID)


async def _give_up(
    ctx: TurnContext, delivery: Delivery, text: str, usage: Sequence[UsageEntry], why: str
) -> Outcome:
    """Say what failed; if that may pass (`revival.passing`), offer to try again."""
    buttons = await offer_revival(ctx) if why else ()
    await delivery.finish(mark=text, buttons=buttons, failed=True)
    return Outcome(usage=tuple(usage), passing=why)


def language_of(text: str) -> str | None:
    """The code of the language that is named; empty for none, None for one nobody knows."""
    name = text.strip().lower()
    if len(name) == 2 and name.isascii() and name.isalpha():
        return name
    if not name:
        return ""
    return next((code for code, names in LANGUAGES.items() if name in names), None)


TRANSCRIBE = Command(
    name="transcribe",
    summary=N_("Write down what is said in a recording"),
    usage=N_("[LANGUAGE]"),
    run=transcribe,
    family=MEDIA,
    aliases=("write",),
    details=N_(
        "Reply with it to a voice message, an audio file or a video, or write it under one. What "
        "is long comes as a text file, with subtitles where the model knows the times."
    ),
    examples=("/transcribe", N_("/transcribe german")),
)
VOICE = Command(
    name="voice",
    summary=N_("Choose what I do with voice messages"),
    usage="[answer|transcribe|off]",
    run=shortcut("voice"),
    family=MEDIA,
    details=N_("Answer them, only write them down, or leave them alone; for this chat."),
    examples=("/voice", "/voice transcribe"),
)
