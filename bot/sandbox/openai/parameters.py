"""Reads the parameters of a request and refuses what the documentation refuses."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.openai import refusal
from bot.sandbox.openai.backend import JsonObject
from bot.sandbox.openai.refusal import Refusal


class Parameters:
    """The fields of a JSON or multipart body. Null is the same as absent.

    Multipart knows only strings: with `form` they are read as the type that is wanted.
    """

    def __init__(self, values: JsonObject, *, form: bool = False) -> None:
        self._values = values
        self._form = form

    def has(self, name: str) -> bool:
        """Whether the parameter was given."""
        return self._values.get(name) is not None

    def raw(self, name: str) -> object:
        """The value as it came."""
        return self._values.get(name)

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise refusal.wrong_type(name, "a string", value)
        return value

    def required_text(self, name: str) -> str:
        """A string that must be there."""
        if not self.has(name):
            raise refusal.missing(name)
        return self.text(name)

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number between two bounds, both included."""
        value = self._read(name, float)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refusal.wrong_type(name, "a decimal", value)
        if not low <= value <= high:
            raise refusal.out_of_range(name, float(value), low=low, high=high)
        return float(value)

    def integer(self, name: str, low: int = 1, high: int | None = None) -> int | None:
        """A whole number of at least `low`."""
        value = self._read(name, int)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise refusal.wrong_type(name, "an integer", value)
        if value < low or (high is not None and value > high):
            raise refusal.out_of_range(name, value, low=low, high=high)
        return value

    def flag(self, name: str) -> bool:
        """A boolean; absent is false."""
        value = self._values.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise refusal.wrong_type(name, "a boolean", value)
        return value

    def choice(self, name: str, allowed: Sequence[str], default: str = "") -> str:
        """One of the documented words."""
        value = self.text(name, default)
        if value and value not in allowed:
            raise refusal.wrong_value(name, value, allowed)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A string or an array of strings."""
        value = self._values.get(name)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise refusal.wrong_type(name, "a string or an array of strings", value)
        return tuple(value)

    def objects(self, name: str) -> tuple[JsonObject, ...]:
        """An array of objects."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise refusal.wrong_type(name, "an array of objects", value)
        for place, item in enumerate(value):
            if not isinstance(item, dict):
                raise refusal.wrong_type(f"{name}[{place}]", "an object", item)
        return tuple(value)

    def nested(self, name: str) -> Parameters:
        """A nested object; empty when absent."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise refusal.wrong_type(name, "an object", value)
        return Parameters(value or {})

    def _read(self, name: str, kind: type[int] | type[float]) -> object:
        value = self._values.get(name)
        if not (self._form and isinstance(value, str)):
            return value
        try:
            return kind(value)
        except ValueError:
            return value


def empty_array(name: str) -> Refusal:
    """An array that must have an item has none."""
    return Refusal(
        400,
        f"Invalid '{name}': empty array. Expected an array with minimum length 1, "
        "but got an empty array instead.",
        param=name,
        code="empty_array",
    )
