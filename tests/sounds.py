"""Recordings made up for tests."""

from __future__ import annotations

import math
import struct
import wave
from io import BytesIO


def beeps(seconds: float, *, loud: float = 0.5, rate: int = 16_000) -> bytes:
    """A WAV file that beeps twice a second; silent when `loud` is 0."""
    samples = (
        int(32_767 * loud * math.sin(2 * math.pi * 440 * n / rate) * (n * 4 // rate % 2))
        for n in range(int(seconds * rate))
    )
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()
