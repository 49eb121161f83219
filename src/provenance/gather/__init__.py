"""Say what else to fetch for a document: its requisites and its mementos. Pure: fetches nothing."""

from __future__ import annotations

from provenance.gather.css import charset_rule
from provenance.gather.kinds import LIMIT, Kind, Requisite, Requisites

__all__ = ["LIMIT", "Kind", "Requisite", "Requisites", "charset_rule"]
