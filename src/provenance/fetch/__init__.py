"""Fetch documents into WARC files, with one recorded outcome each. Never reads or writes SQLite."""

from provenance.fetch.engine import FetchPorts, FetchRun, Progress
from provenance.fetch.settings import Errand, FetchSettings

__all__ = ["Errand", "FetchPorts", "FetchRun", "FetchSettings", "Progress"]
