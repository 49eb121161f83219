"""Say what a code of `verify` means, and what a person does about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a code means, and what a person does about it."""

    means: str
    hint: str


def table(*rows: tuple[str, str, str]) -> Mapping[str, Explanation]:
    """Return (code, means, hint) by code."""
    return MappingProxyType(
        {code: Explanation(means=means, hint=hint) for code, means, hint in rows}
    )
