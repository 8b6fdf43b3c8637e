"""Writes down speech, whatever its length: in parts, several at a time, put together in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core.errands import cancel
from bot.core.models import UsageEntry
from bot.core.punctuation import joined
from bot.core.recordings import AudioClip, ClipFile, Segment, Transcript, TranscriptionRequest
from bot.core.sentences import keeps_trying
from bot.core.spending import listening_to, reserve_audio
from bot.core.turn import TurnContext
from bot.core.types import Attachment, OutgoingFile
from bot.errors import MediaError, MediaErrorKind, ModelError, ModelErrorKind

AUDIO_BYTES = 25_000_000
"""Largest file the transcription endpoint takes (OpenAI, "Speech to text": 25 MB)."""
PARTS_AT_ONCE = 3
"""Parts of one recording that are heard at a time: each is in memory while it is."""
LONG_SECONDS = 300.0
"""From this length on a recording is written down with times."""
LONG_TEXT = 1_500
"""Characters from which on a transcript is a file, and only its beginning stands in the chat."""
EXCERPT = 600
WORD = 50
"""Characters before the end of the excerpt in which a space is looked for: Chinese has few."""
PARAGRAPH = 60.0
"""Seconds to a paragraph of a long transcript."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is said in a recording; `segments` are empty where nobody knows the times."""

    text: str
    segments: tuple[Segment, ...] = ()

    @property
    def is_long(self) -> bool:
        """Whether it is too much to be read in the chat."""
        return len(self.text) > LONG_TEXT

    @property
    def excerpt(self) -> str:
        """The beginning of a long text, or all of a short one."""
        if not self.is_long:
            return self.text
        end = self.text.rfind(" ", EXCERPT - WORD, EXCERPT)
        return self.text[: end if end > 0 else EXCERPT].rstrip() + " …"

    def paragraphs(self) -> list[tuple[str, str]]:
        """The text in pieces of about a minute, each with the time at which it begins."""
        found: list[tuple[str, list[str]]] = []
        begun = 0.0
        for segment in self.segments:
            if not found or segment.start - begun >= PARAGRAPH:
                begun = segment.start
                found.append((moment(begun), []))
            found[-1][1].append(segment.text)
        return [(mark, joined(words)) for mark, words in found]

    def files(self, name: str) -> tuple[OutgoingFile, ...]:
        """As text, and as subtitles where the times are known."""
        pieces = self.paragraphs()
        text = "\n\n".join(f"[{mark}] {words}" for mark, words in pieces) or self.text
        stem = Path(name).stem or "transcript"
        found = [OutgoingFile(name=f"{stem}.txt", mime="text/plain", content=text.encode() + b"\n")]
        if self.segments:
            content = subtitles(self.segments).encode()
            found.append(
                OutgoingFile(name=f"{stem}.srt", mime="application/x-subrip", content=content)
            )
        return tuple(found)


class Transcriber:
    """Writes down recordings for one turn.

    `status` is told what takes time, and `usage` what it costs, part by part.
    """

    def __init__(
        self, ctx: TurnContext, status: Callable[[str], None], usage: list[UsageEntry]
    ) -> None:
        self._ctx = ctx
        self._status = status
        self._usage = usage

    async def listen(
        self, path: Path, recording: Attachment, *, language: str = "", timed: bool = False
    ) -> Heard:
        """Write down what is said in a recording, fetched to `path`.

        Raises `MediaError`, `ModelError`, `StoreError`.
        """
        services, _ = self._ctx.services, self._ctx.texts.gettext
        model = services.defaults.transcription_model
        if not model:
            raise ModelError(ModelErrorKind.UNSUPPORTED, "no transcription model is configured")
        self._status(_("🎧 Listening…"))
        clips = await services.audio.prepare(
            path, name=name_of(recording), max_bytes=AUDIO_BYTES, folder=path.parent
        )
        seconds = sum(clip.seconds for clip in clips)
        await reserve_audio(self._ctx, recording.id, model=model, seconds=seconds)
        request = TranscriptionRequest(
            model=model,
            clip=AudioClip(name="", mime="", data=b""),
            language=language,
            timestamps=timed or seconds >= LONG_SECONDS,
            lane=self._ctx.lane,
        )
        transcripts = await self._parts(clips, request)
        text = joined(part.text for part in transcripts)
        if not text:
            raise MediaError(MediaErrorKind.SILENT)
        return Heard(text=text, segments=_in_a_row(clips, transcripts))

    async def _parts(
        self, clips: Sequence[ClipFile], request: TranscriptionRequest
    ) -> list[Transcript]:
        """The transcripts of all clips, in order; when one fails, the others are given up."""
        places, done = asyncio.Semaphore(PARTS_AT_ONCE), 0
        progress = self._ctx.texts.gettext("🎧 Listening… part {number} of {count}")

        async def part(clip: ClipFile) -> Transcript:
            nonlocal done
            async with places:
                data = await asyncio.to_thread(clip.path.read_bytes)
                audio = AudioClip(name=clip.name, mime=clip.mime, data=data, seconds=clip.seconds)
                transcript = await self._hear(replace(request, clip=audio))
            done += 1
            if done < len(clips):
                self._status(progress.format(number=done + 1, count=len(clips)))
            return transcript

        if len(clips) > 1:
            self._status(progress.format(number=1, count=len(clips)))
        tasks = [asyncio.create_task(part(clip)) for clip in clips]
        try:
            return await asyncio.gather(*tasks)
        finally:
            await cancel(*tasks)

    async def _hear(self, request: TranscriptionRequest) -> Transcript:
        """The words in a clip. What is given up half-way is billed as well, once it was sent."""
        api, is_sent = self._ctx.services.api, False

        def sent() -> None:
            nonlocal is_sent
            is_sent = True

        try:
            transcript = await api.transcribe(request, sent=sent, unheard=self._unheard)
        except asyncio.CancelledError:
            if is_sent:
                lost = listening_to(
                    self._ctx.services, model=request.model, seconds=request.clip.seconds
                )
                self._usage.append(api.priced(replace(lost, estimated=True)))
            raise
        if transcript.usage is not None:
            self._usage.append(transcript.usage)
        return transcript

    def _unheard(self) -> None:
        self._status(keeps_trying(self._ctx.texts))


def name_of(recording: Attachment) -> str:
    """What a recording is called."""
    return recording.name or "recording"


def _in_a_row(clips: Sequence[ClipFile], transcripts: Sequence[Transcript]) -> tuple[Segment, ...]:
    """The segments of all clips, their times counted from the beginning of the first."""
    found: list[Segment] = []
    start = 0.0
    for clip, transcript in zip(clips, transcripts, strict=True):
        if transcript.text.strip() and not transcript.segments:
            return ()  # the model gives no times
        found += [
            Segment(start=start + each.start, end=start + each.end, text=each.text)
            for each in transcript.segments
        ]
        start += clip.seconds
    return tuple(found)


def moment(seconds: float) -> str:
    """`1:02:03`, or `2:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def subtitles(segments: Sequence[Segment]) -> str:
    """The segments as SubRip."""
    cues = (
        f"{number}\n{_srt_time(each.start)} --> {_srt_time(each.end)}\n{each.text}\n"
        for number, each in enumerate(segments, start=1)
    )
    return "\n".join(cues)


def _srt_time(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02},{rest % 1000:03}"
