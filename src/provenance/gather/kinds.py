"""Name what a page or a style sheet needs: the requisites of its later replay. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LIMIT: Final = 2000
"""Addresses taken from one page or style sheet, unless the caller says otherwise."""


class Kind(StrEnum):
    """What a requisite is for, as the markup says; what comes may be something else."""

    IMAGE = "image"
    STYLE = "style"
    SCRIPT = "script"
    FONT = "font"
    FRAME = "frame"
    MEDIA = "media"
    ICON = "icon"
    MANIFEST = "manifest"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requisite:
    """One address that a replay needs.

    `lazy` is True where nothing but an attribute for scripts (such as `data-src`) names it.
    """

    url: str
    kind: Kind
    lazy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Requisites:
    """What one page or style sheet names, each address once, in document order.

    `limit_reached` is True where more was named than is listed: the number of addresses, or the
    size of the text or of one statement in it, was over a limit.
    """

    found: tuple[Requisite, ...]
    limit_reached: bool = False
