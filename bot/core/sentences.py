"""What people read when something goes wrong: one sentence each, kind and specific."""

from __future__ import annotations

from gettext import NullTranslations
from typing import assert_never

from bot.core.punctuation import in_a_row, shortened
from bot.errors import (
    FileRefused,
    FileTooLarge,
    MediaError,
    MediaErrorKind,
    ModelError,
    ModelErrorKind,
)

INSTRUCTION = "instruction"
"""What an error calls the instruction of a chat."""
DETAIL = 200
"""Characters of the API's own words that are shown."""


def keeps_trying(texts: NullTranslations) -> str:
    """What is said while an API that does not answer is waited for."""
    return texts.gettext("⏳ The API does not answer just now. I keep trying…")


def sentence_for_model(error: ModelError, texts: NullTranslations, *, model: str) -> str:
    """Say what a failed request means for the person who asked."""
    _ = texts.gettext
    match error.kind:
        case ModelErrorKind.BAD_KEY:
            return _("I am not set up properly: the API refuses my key. The operator can fix it.")
        case ModelErrorKind.QUOTA:
            return _("The API account has run out of credit. The operator can top it up.")
        case ModelErrorKind.RATE_LIMITED:
            return _("The API is getting too many requests. Please try again in a minute.")
        case ModelErrorKind.BUSY:
            return _("I am very busy right now. Please try again in a moment.")
        case ModelErrorKind.MODEL_NOT_FOUND:
            return _(
                "The API does not know the model “{model}”. Choose another with /model."
            ).format(model=model)
        case ModelErrorKind.BAD_REQUEST if error.overrun.pictures == 0:
            blind = _("“{model}” cannot see pictures.").format(model=model)
            return in_a_row(
                texts, blind, _("Choose another with /model, and send the picture again.")
            )
        case ModelErrorKind.BAD_REQUEST:
            return _("The API did not accept the request: {detail}").format(
                detail=shortened(error.detail, DETAIL) or "?"
            )
        case ModelErrorKind.CONTEXT_TOO_LONG if error.param == INSTRUCTION:
            return _(
                "The instruction of this chat is too long for the model “{model}”. Shorten it with "
                "/system, or choose another model with /model."
            ).format(model=model)
        case ModelErrorKind.CONTEXT_TOO_LONG:
            return _(
                "That is too long for the model “{model}”. Shorten it, or choose a model with a "
                "larger window with /model."
            ).format(model=model)
        case ModelErrorKind.REFUSED:
            return _("The model’s content policy does not allow this. Try putting it differently.")
        case ModelErrorKind.UNSUPPORTED:
            return _("The API does not offer this.")
        case ModelErrorKind.SERVER:
            return _("The API is having trouble. Please try again in a minute.")
        case ModelErrorKind.UNREACHABLE:
            return _("I cannot reach the API. Please try again in a minute.")
        case ModelErrorKind.TIMEOUT:
            return _("The API took too long to answer. Please try again.")
        case ModelErrorKind.CUT:
            return _("The answer broke off here. Ask again, or write “go on”.")
        case ModelErrorKind.NOT_ALLOWED:
            return error.detail
        case ModelErrorKind.BAD_ANSWER:
            return _("The API sent something I cannot read. The operator may check its address.")
        case unknown:
            assert_never(unknown)


def sentence_for_listening(error: ModelError, texts: NullTranslations, *, model: str) -> str:
    """Say why a recording cannot be heard; `model` is the one that listens, if there is one."""
    _ = texts.gettext
    match error.kind:
        case ModelErrorKind.UNSUPPORTED:
            return _("I cannot listen to recordings here: speech recognition is not set up.")
        case ModelErrorKind.MODEL_NOT_FOUND:
            return _(
                "The API does not know the model “{model}” for speech recognition. The operator "
                "can set another."
            ).format(model=model)
        case ModelErrorKind.CONTEXT_TOO_LONG:
            return sentence_for_media(MediaError(MediaErrorKind.TOO_LONG), texts)
        case _other:
            return sentence_for_model(error, texts, model=model)


def sentence_for_media(error: MediaError | FileTooLarge, texts: NullTranslations) -> str:
    """Say why a file cannot be used, or that it is larger than the platform hands over."""
    _ = texts.gettext
    if isinstance(error, FileTooLarge) and error.limit:
        text = _("That file is too large: I can fetch at most {limit} MB here.")
        return text.format(limit=error.limit // 1_000_000)
    match MediaErrorKind.TOO_LARGE if isinstance(error, FileTooLarge) else error.kind:
        case MediaErrorKind.WITHHELD:
            return _(
                "I cannot get at that file: it is deleted, or I may not read files here. "
                "Please send it again, or ask the operator."
            )
        case MediaErrorKind.EMPTY:
            return _("That file is empty (0 bytes). Please send it again.")
        case MediaErrorKind.NOT_AUDIO:
            return _("I cannot find any sound in that file. Send a voice note, or MP3, M4A, OGG.")
        case MediaErrorKind.NOT_IMAGE:
            return _("I cannot open that picture. Send it as JPEG, PNG or WebP.")
        case MediaErrorKind.SILENT:
            return _("I hear only silence in that recording. Check the microphone and try again.")
        case MediaErrorKind.TOO_LONG:
            return _("That recording is too long for me. Send it in shorter pieces.")
        case MediaErrorKind.TOO_LARGE:
            return _("That file is too large for me. Send a smaller one.")
        case MediaErrorKind.NOT_DOCUMENT:
            return _(
                "I cannot read that file: it is damaged, or of a kind I do not know. I read PDF, "
                "Word, Excel, PowerPoint, CSV, HTML, text and source code."
            )
        case MediaErrorKind.PACKED:
            return _("That is an archive. Unpack it, and send me the files that matter.")
        case MediaErrorKind.OUTDATED:
            return _(
                "I cannot read that old kind of file. Save it as .docx, .pptx or PDF, and send "
                "it again."
            )
        case MediaErrorKind.LOCKED:
            return _("That file needs a password. Send it without one.")
        case MediaErrorKind.NOT_FETCHED:
            return _("I could not fetch that file. Please send it again.")
        case MediaErrorKind.GONE:
            return _("That picture is not here any more.")
        case MediaErrorKind.WORDLESS:
            return _("I find no words in that file.")
        case unknown:
            assert_never(unknown)


def sentence_for_file(error: FileRefused, texts: NullTranslations) -> str:
    """Say why a file of the bot's own is missing in the chat."""
    if isinstance(error, FileTooLarge):
        text = texts.gettext("A file is missing: it is larger than {limit} MB.")
        return text.format(limit=error.limit // 1_000_000)
    return texts.gettext(
        "I may not post pictures or files in this chat. Its administrators can allow it."
    )
