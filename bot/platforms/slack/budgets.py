"""What Slack takes in a while: of one method from the workspace, and of posts in one channel."""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from weakref import WeakSet

MINUTE = 60.0
POST = "chat.postMessage"
POST_SECONDS = 1.0
BURST = 2
"""Posts that a channel takes at once; Slack allows short bursts without saying how short."""
PREVIEW_SHARE = 0.8
"""The part of a method's budget that previews may use; the rest is kept for the ends."""
PROMISED_SHARE = 0.9
"""The part that may be promised; the rest is kept for the buttons that people press."""
CALM_SHARE = 0.5
"""Up to this part of their budget previews go out at once; beyond it they are spread."""


class Urgency(IntEnum):
    """What a call is for; the smaller goes first."""

    FINAL = 0
    PREVIEW = 1
    TYPING = 2


class Line:
    """Chats whose previews were told to come back, in the order in which they asked.

    Who asked first has the most outdated text. A chat that does not come back loses its place.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def ahead(self, chat: str, now: float) -> int:
        """How many others go before a chat."""
        for gone in [other for other, until in self._until.items() if until < now]:
            del self._until[gone]
        places = list(self._until)
        return places.index(chat) if chat in self._until else len(places)

    def join(self, chat: str, until: float) -> None:
        """Keep its place until then, or the next one that is free."""
        self._until[chat] = until

    def leave(self, chat: str) -> None:
        """It has had its turn, or wants it no more."""
        self._until.pop(chat, None)


class Window:
    """At most `count` calls in any minute, each counted from its end.

    With `ends` some are kept for the ends of answers, and many previews are spread over the minute:
    they can be made later with newer text.
    """

    def __init__(self, count: int, *, ends: bool = True) -> None:
        self._count = count
        self._ends = ends
        self._reserve = count - int(count * PREVIEW_SHARE) if ends else 0
        self._promised: WeakSet[object] = WeakSet()
        self._under_way = 0
        self._ended: deque[float] = deque()
        self.line = Line()
        self.waiting = 0
        self.blocked_until = 0.0

    def wait(self, now: float, urgency: Urgency, chat: str) -> float:
        """Seconds until such a call may be made."""
        self._forget(now)
        blocked = max(0.0, self.blocked_until - now)
        if urgency is Urgency.FINAL:
            return max(blocked, self._until_free(now, self._count))
        if self.waiting:
            return max(blocked, MINUTE / self._count)
        ahead = self.line.ahead(chat, now)
        count = self._count - max(self._reserve, len(self._promised))
        return max(blocked, self._until_free(now, count - ahead), self._spread(now, count, ahead))

    def promise(self, now: float, answer: object) -> float:
        """Keep a call for the end of an answer: 0 if that could be, else seconds to wait for it."""
        self._forget(now)
        if answer in self._promised:
            return 0.0
        wait = self._until_free(now, int(self._count * PROMISED_SHARE) - len(self._promised))
        if wait <= 0:
            self._promised.add(answer)
        return wait

    def redeem(self, answer: object) -> None:
        """Free the call that was kept for the end of an answer."""
        self._promised.discard(answer)

    def begin(self) -> None:
        """A call leaves."""
        self._under_way += 1

    def end(self, now: float) -> None:
        """It was answered, or failed."""
        self._under_way -= 1
        self._ended.append(now)

    def _forget(self, now: float) -> None:
        while self._ended and self._ended[0] <= now - MINUTE:
            self._ended.popleft()

    def _until_free(self, now: float, count: int) -> float:
        """Seconds until less than `count` calls were made in the last minute."""
        over = self._under_way + len(self._ended) - count
        if over < 0:
            return 0.0
        return (self._ended[over] if over < len(self._ended) else now) + MINUTE - now

    def _spread(self, now: float, count: int, ahead: int) -> float:
        """Seconds that a preview waits so that all of them are spread over the minute."""
        used = self._under_way + len(self._ended)
        if not self._ends or used + ahead < count * CALM_SHARE or not self._ended:
            return 0.0
        return self._ended[-1] + (1 + ahead) * MINUTE / max(1, count) - now


class Channel:
    """When the next post may go to a channel, and whether anything may."""

    def __init__(self) -> None:
        self.next_post = 0.0
        self.blocked_until = 0.0
        self.waiting = 0

    def wait(self, now: float, method: str, urgency: Urgency) -> float:
        """Seconds until such a call may be made."""
        blocked = max(0.0, self.blocked_until - now)
        if method != POST:
            return blocked
        crowded = POST_SECONDS if self.waiting and urgency is not Urgency.FINAL else 0.0
        return max(blocked, crowded, self.next_post - now - (BURST - 1) * POST_SECONDS)

    def posted(self, now: float) -> None:
        """A post went out."""
        self.next_post = max(self.next_post, now) + POST_SECONDS

    def idle(self, now: float) -> bool:
        """Nothing is known of it that still matters."""
        return not self.waiting and max(self.next_post, self.blocked_until) <= now
