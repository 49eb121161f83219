"""Check what a person gave on the command line, before a command does anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import click

from provenance.errors import UsageError

YEAR_S = 366 * 86_400
PROSE = ("note",)
"""Options whose text may have line breaks and tabs."""
NAMES = ("files",)
"""Arguments whose file name is recorded."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_BUT_LAYOUT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Parsed(click.ParamType):  # type: ignore[type-arg]  # not generic in every click we take
    """A value that one of the program's own parsers reads; its fault is a usage error."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the parser makes of the text."""
        try:
            return self._parse(value) if isinstance(value, str) else value
        except UsageError as fault:
            self.fail(str(fault), param, ctx)


def content_type(text: str) -> str:
    """Return a media type; parameters such as a charset may follow it.

    Raises:
        UsageError: it is no media type.
    """
    from provenance.seeds.values import parse_media_type

    kind, mark, parameters = text.partition(";")
    return f"{parse_media_type(kind.strip().lower())}{mark}{parameters}"


def check_values(ctx: click.Context) -> None:
    """Refuse values that nothing takes, so that none of them ends up in a record.

    These are bytes that are no text; in options also blank text, control characters and times of
    more than a year.

    Raises:
        click.BadParameter: names the option or argument.
    """
    for param in ctx.command.params:
        given = ctx.params.get(param.name or "")
        for value in given if isinstance(given, tuple) else (given,):
            if fault := _fault(value, param):
                raise click.BadParameter(fault, ctx=ctx, param=param)


def _fault(value: object, param: click.Parameter) -> str | None:
    if param.name in NAMES and _has_surrogates(str(value)):
        return f"expected a file name in UTF-8, since it is recorded, found {value}; rename it"
    if isinstance(value, float):
        return None if 0 <= value <= YEAR_S else f"expected at most {YEAR_S} seconds, found {value}"
    if not isinstance(value, str):
        return None
    if _has_surrogates(value):
        return f"expected text in UTF-8, found {value!r}"
    if not isinstance(param, click.Option):
        return None
    if not value.strip():
        return "expected some text, found none"
    refused = _CONTROL_BUT_LAYOUT if param.name in PROSE else _CONTROL
    if found := refused.search(value):
        return f"expected text without control characters, found {found[0]!r}"
    return None


def _has_surrogates(text: Iterable[str]) -> bool:
    return any("\ud800" <= each <= "\udfff" for each in text)
