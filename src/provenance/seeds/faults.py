"""Gather the faults of one seeds file, each with its place. Pure: prints and raises nothing."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from difflib import get_close_matches

from provenance.errors import UsageError

_SHOWN_CHARACTERS = 80


class MisfitError(UsageError):
    """A value is not what its field takes; `str()` of it is the second half of a fault line.

    `secret` leaves the found value out, for a line that would repeat a password.
    """

    def __init__(
        self, expected: str, found: object, hint: str | None = None, *, secret: bool = False
    ) -> None:
        shown = None if secret else show(found)
        super().__init__("a field does not fit", expected=expected, found=shown, hint=hint)

    def __str__(self) -> str:
        text = f"expected {self.expected}"
        text += "" if self.found is None else f", found {self.found}"
        return f"{text}; {self.hint}" if self.hint else text


class Faults:
    """The faults of one file, in the order of the file; `name` is the file as a person knows it."""

    def __init__(self, name: str) -> None:
        self.name = show_name(name)
        self._lines: list[str] = []

    def add(self, path: str, message: str, *, document: str | None = None) -> None:
        """Note one fault: `seeds/laws.toml: document[3].published: message (document "id")`."""
        place = f"{self.name}: {path}: " if path else f"{self.name}: "
        owner = f' (document "{document}")' if document else ""
        self._lines.append(f"{place}{message}{owner}")

    @property
    def lines(self) -> tuple[str, ...]:
        """Every fault so far, one line each."""
        return tuple(self._lines)


def show(found: object) -> str:
    """Return a value as a fault line shows it: short, on one line, no control character.

    >>> show("a\\tb"), show(True), show({})
    ("'a\\\\tb'", 'true', 'a table')
    """
    match found:
        case bool():
            return "true" if found else "false"
        case dict():
            return "a table"
        case list():
            return "an array"
        case datetime.datetime() | datetime.date() | datetime.time():
            return found.isoformat()
        case str() if len(found) > _SHOWN_CHARACTERS:
            return f"{found[:_SHOWN_CHARACTERS]!r}… ({len(found)} characters)"
        case _:
            return repr(found)


def show_name(name: str) -> str:
    """Return a file name or key as it is if it is plain to print, else quoted and escaped."""
    return name if name and name.isprintable() and len(name) <= _SHOWN_CHARACTERS else show(name)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return `did you mean "…"?` for the nearest of the known words, or None."""
    near = get_close_matches(word[:_SHOWN_CHARACTERS].lower().replace("_", "-"), known, n=1)
    near = near or get_close_matches(word[:_SHOWN_CHARACTERS].lower(), known, n=1)
    return f'did you mean "{near[0]}"?' if near else None
