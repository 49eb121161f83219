"""Write JSON lines, tables and words; nothing archived reaches the terminal unescaped."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import click

from provenance.cli.layout import is_unseen, safe

__all__ = ["put", "safe", "say", "terminal_columns", "write_document", "write_object"]


def say(text: str = "") -> None:
    """Write a line for people, on stderr."""
    click.echo(text, err=True)


def write_object(kind: str, value: object, **more: object) -> None:
    """Write one JSON object on stdout, flushed."""
    found = {"type": kind, **_plain(value), **{key: _jsonable(each) for key, each in more.items()}}
    line = json.dumps(found, ensure_ascii=False)
    shown = "".join(json.dumps(each)[1:-1] if is_unseen(each) else each for each in line)
    click.echo(f"{shown}\n".encode(), nl=False)  # in UTF-8, whatever the terminal has


def write_document(row: object, capture: object | None, **more: object) -> None:
    """Write a document object: its card, and the keys of the outcome of its newest version."""
    from provenance.model import Outcome  # every command writes words, few of them documents

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


def terminal_columns() -> int | None:
    """Return the width of the terminal that stdout is, between 40 and 160; None where it is none.

    What goes into a file or a pipe is neither cut nor wrapped.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return min(max(shutil.get_terminal_size().columns, 40), 160)


def put(lines: Iterable[str]) -> None:
    """Write lines on stdout."""
    for line in lines:
        click.echo(line)
