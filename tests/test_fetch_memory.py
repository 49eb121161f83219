"""A run keeps nothing of a document that it is done with."""

from __future__ import annotations

import gc
from pathlib import Path

from provenance.fetch.settings import Errand
from provenance.model import Document
from tests.roots import SETTINGS, root_of
from tests.wire import playing

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DOCUMENTS = 10


def alive(kind: type[Errand | Document], addresses: list[str]) -> int:
    """Count the objects of this kind that stand for one of these addresses."""
    gc.collect()
    return sum(type(each) is kind and each.url in addresses for each in gc.get_objects())


def test_what_a_run_is_done_with_is_let_go(tmp_path: Path) -> None:
    """The cards of the seeds before the first request, each errand once it has its outcome."""
    with playing(lambda _head: OK, closes=False) as wire:
        addresses = [f"{wire.url}/page-{number}" for number in range(DOCUMENTS)]
        fetching = root_of(tmp_path, *addresses).fetch((), SETTINGS)
        assert alive(Document, addresses) == 0
        assert alive(Errand, addresses) == DOCUMENTS
        for number, _ in enumerate(fetching.outcomes, start=1):
            # One more may be in the hands of the thread that visits.
            assert alive(Errand, addresses) <= DOCUMENTS - number + 1
    assert fetching.complete()
    assert fetching.progress().documents == fetching.progress().done == DOCUMENTS
