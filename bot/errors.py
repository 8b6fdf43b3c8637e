"""Every error the bot raises on purpose; anything else that escapes is a bug.

* BotError
  * ConfigError          the configuration is wrong; says where, and what to do
  * PlatformError        a chat platform refused or failed
    - ChatGone           the chat is deleted, or the bot was removed from it
    - FileRefused        the platform does not hand over, or take, a file
      FileTooLarge       the same for its size
      FilesForbidden     files may not be posted in this chat
    - MessageGone        the message to edit was deleted, or is no longer editable
    - PlatformPasses     it passes by itself
      RateLimited        try again after `retry_after` seconds
      NotYourTurn        the same for previews; the end of an answer need not wait
      PlatformDown       no connection; the call has surely not been carried out
      OutcomeUnknown     no answer came; the call may or may not have been carried out
  * ModelError           the LLM API refused or failed; `kind` says what can be done
  * MediaError           a file somebody sent cannot be used; `kind` says why
  * StoreError           the database refused or failed
    - StoreBusy          locked by another process, or too slow to answer
    - StoreFull          the disk or the database is full
    - StoreRefused       it cannot be kept, however often it is tried
    - StoreBroken        the database file is damaged, or not one of ours
    - QueueFull          too many messages are waiting already
  * TurnLost             another process works on the turn; leave it and its chat alone
  * TurnWithdrawn        what the turn answers was deleted; nothing is to be said any more
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

TOO_LARGE = 413
"""HTTP's status for a request of too many bytes."""


class BotError(Exception):
    """Base class of all errors raised on purpose."""


class ConfigError(BotError):
    """The configuration is wrong. The text names the file, the key and the fix."""


class PlatformError(BotError):
    """A chat platform refused a call or failed to answer it."""

    retry_after = 0.0
    """Seconds that it asks to wait; none where it asks for nothing."""


class PlatformPasses(PlatformError):
    """What passes by itself: the same call may succeed later."""


class RateLimited(PlatformPasses):
    """The platform asked for a pause of `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"rate limited for {retry_after:g} s")
        self.retry_after = retry_after


class NotYourTurn(RateLimited):
    """Others go first: a preview may try again after `retry_after` seconds, the end at once."""


class ChatGone(PlatformError):
    """The chat is deleted, or the bot is no longer in it."""


class PlatformDown(PlatformPasses):
    """The platform cannot be reached: the call has surely not been carried out."""


class OutcomeUnknown(PlatformPasses):
    """The call timed out or the connection broke: it may have been carried out."""


class FileRefused(PlatformError):
    """The platform does not take a file, or does not hand it over; words still get through."""


class FilesForbidden(FileRefused):
    """The chat does not let the bot post pictures or files."""


class FileTooLarge(FileRefused):
    """A file is larger than the platform carries; `limit` is in bytes, 0 if unknown."""

    def __init__(self, limit: int = 0) -> None:
        super().__init__(f"the file is larger than {limit} bytes" if limit else "file too large")
        self.limit = limit


class MessageGone(PlatformError):
    """The message to edit is deleted, or the platform no longer lets it be edited."""


class ModelErrorKind(StrEnum):
    """What a person can do about a failed request to the API."""

    BAD_KEY = "bad_key"  # the operator must set a valid key
    QUOTA = "quota"  # the balance is used up; the operator must top it up
    RATE_LIMITED = "rate_limited"  # too many requests; try again later
    BUSY = "busy"  # our own queue is full; try again in a moment
    MODEL_NOT_FOUND = "model_not_found"  # choose another model
    BAD_REQUEST = "bad_request"  # a parameter is wrong; the detail says which
    CONTEXT_TOO_LONG = "context_too_long"  # what is asked does not fit; shorten it
    REFUSED = "refused"  # the model's content policy refused it; say it differently
    UNSUPPORTED = "unsupported"  # the API does not offer this endpoint
    SERVER = "server"  # the API is broken; try again later
    UNREACHABLE = "unreachable"  # no connection; try again, the operator checks the URL
    TIMEOUT = "timeout"  # connected, but no answer in time
    CUT = "cut"  # the answer broke off in the middle
    NOT_ALLOWED = "not_allowed"  # not for this person, or not now; the detail is what to say
    BAD_ANSWER = "bad_answer"  # the server does not speak the API (an HTML page, not JSON, empty)


PASSING = frozenset(
    {
        ModelErrorKind.UNREACHABLE,
        ModelErrorKind.SERVER,
        ModelErrorKind.RATE_LIMITED,
        ModelErrorKind.BUSY,
    }
)
"""Failures that pass by themselves. Not `TIMEOUT`: such a request may be billed each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """What the API told of a request that is too long, in the model's tokens; None is untold.

    `limit` is what it takes at most, question and answer together; `asked` what it was asked.
    `pictures` is how many it takes at most, where these were too many.
    """

    limit: int | None = None
    asked: int | None = None
    pictures: int | None = None


UNTOLD = Overrun()


@dataclass(eq=False, repr=False)
class ModelError(BotError):
    """The LLM API refused a request or failed to answer it.

    `detail` is the API's own sentence, free of secrets, and `param` what it names as wrong;
    `retry_after` in seconds where the API said so; `request_id` is for the operator's log. `sent`:
    the request may have reached the model. `overrun` tells of what is too long.
    """

    kind: ModelErrorKind
    detail: str = ""
    _: KW_ONLY
    status: int | None = None
    retry_after: float | None = None
    request_id: str = ""
    param: str = ""
    sent: bool = True
    overrun: Overrun = UNTOLD

    def __post_init__(self) -> None:
        super().__init__(f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value)

    @property
    def is_too_long(self) -> bool:
        """Whether less of a conversation might be taken, by the model or by what stands before."""
        is_long = self.kind is ModelErrorKind.CONTEXT_TOO_LONG
        return is_long or self.is_about_bytes or self.overrun.pictures is not None

    @property
    def is_about_bytes(self) -> bool:
        """Whether the request is too large rather than too long: pictures weigh most."""
        return self.status == TOO_LARGE and self.overrun.limit is None

    @property
    def is_not_offered(self) -> bool:
        """Whether the API says that it, or the model, does not do this at all."""
        if self.kind is ModelErrorKind.BAD_REQUEST:  # OpenAI names the one model that can
            return self.param == "model"
        return self.kind is ModelErrorKind.UNSUPPORTED or self.status in (404, 405, 501)


class MediaErrorKind(StrEnum):
    """Why a file that somebody sent cannot be used."""

    WITHHELD = "withheld"  # the platform does not hand it over: deleted, or not for the bot
    EMPTY = "empty"  # 0 bytes
    NOT_AUDIO = "not_audio"  # no audio stream, or damaged
    NOT_IMAGE = "not_image"
    SILENT = "silent"  # nothing to hear
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    NOT_DOCUMENT = "not_document"  # of no kind we can read, or damaged
    PACKED = "packed"  # an archive of files
    OUTDATED = "outdated"  # of a kind that Office wrote before 2007, or of WPS's own
    LOCKED = "locked"  # it needs a password
    NOT_FETCHED = "not_fetched"  # the platform does not hand it over
    GONE = "gone"  # it was there once
    WORDLESS = "wordless"  # a document with nothing to read in it


class MediaError(BotError):
    """A file that somebody sent cannot be used."""

    def __init__(self, kind: MediaErrorKind, detail: str = "") -> None:
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
        self.kind = kind
        self.detail = detail


class StoreError(BotError):
    """The database refused or failed."""


class StoreBusy(StoreError):
    """The database is locked by another process, or too slow to answer."""


class StoreFull(StoreError):
    """The disk or the database is full; nothing was written."""


class StoreRefused(StoreError):
    """What was to be written does not fit into the database: trying again does not help."""


class StoreBroken(StoreError):
    """The database file is damaged, or not one of ours. It is never overwritten."""


class QueueFull(StoreError):
    """Too many messages are waiting: in this chat (`in_chat`) or in all."""

    def __init__(self, *, in_chat: bool) -> None:
        super().__init__("too many messages are waiting" + (" in this chat" if in_chat else ""))
        self.in_chat = in_chat


class TurnLost(BotError):
    """Another process has taken the turn over: nothing more may be done for it here."""


class TurnWithdrawn(BotError):
    """What the turn answers was deleted, or a part of it: what it has said goes, too."""
