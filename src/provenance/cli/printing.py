"""Write JSON lines and tables; nothing archived reaches the terminal unescaped."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import click

from provenance.model import Outcome

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def safe(value: object) -> str:
    r"""Return a text without control and format characters (they become `\uXXXX`).

    >>> safe("a\x1b[2J")
    'a\\x1b[2J'
    """
    text = "" if value is None else str(value)
    return "".join(
        each.encode("unicode_escape").decode() if unicodedata.category(each) in _UNSEEN else each
        for each in text
    )


def say(text: str = "") -> None:
    """Write a line for people, on stderr."""
    click.echo(text, err=True)


def write_object(kind: str, value: object, **more: object) -> None:
    """Write one JSON object on stdout, flushed."""
    found = {"type": kind, **_plain(value), **{key: _jsonable(each) for key, each in more.items()}}
    click.echo(json.dumps(found, ensure_ascii=False))


def write_document(row: object, capture: object | None, **more: object) -> None:
    """Write a document object: its card, and the keys of the outcome of its newest version."""
    empty = {each.name: None for each in fields(Outcome)}
    found = {**empty, **(_plain(capture) if capture is not None else {}), **_plain(row)}
    found["flags"] = found["flags"] or []
    write_object("document", found, **more)


def _plain(value: object) -> dict[str, Any]:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _jsonable(getattr(value, each.name)) for each in fields(value)}
    return dict(value) if isinstance(value, Mapping) else {}


def _jsonable(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(value)
    if isinstance(value, tuple | list):
        return [_jsonable(each) for each in value]
    if value is None or isinstance(value, str | int | float | bool | Mapping):
        return value
    return str(value)


def table(rows: Iterable[Sequence[object]]) -> None:
    """Write rows in aligned columns on stdout."""
    cells = [[safe(cell) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(_width(row[at]) for row in cells) for at in range(len(cells[0]))]
    for row in cells:
        padded = (
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
