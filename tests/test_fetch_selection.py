"""What a person names becomes errands, whatever file of the seeds it stands in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.errors import SeedsError, UsageError
from provenance.fetch.selection import select
from provenance.model import ADHOC, Collection
from provenance.seeds import parse_collection
from tests.roots import SETTINGS

_ENTRY = 'role = "official"\npublisher = "The council"\npublisher_kind = "government"\n'


def text_of(name: str, *documents: str, more: str = "") -> str:
    """Return a seeds file whose documents have an address of their own each."""
    entries = (
        f'[[document]]\nid = "{each}"\ntitle = "{each}"\nurl = "https://{name}.example/{each}"\n'
        f"{_ENTRY}{more}"
        for each in documents
    )
    return f'[collection]\nid = "{name}"\ntitle = "{name}"\nabout = "A."\n' + "".join(entries)


def collection(name: str, *documents: str, more: str = "") -> Collection:
    """Return it as it is read."""
    return parse_collection(text_of(name, *documents, more=more).encode(), name=f"{name}.toml")


ALTERNATE = '[[document.alternate]]\nurl = "https://copy.example/{}"\nrole = "record"\n'
LAWS = collection("laws", "act", "order")
NEWS = collection("news", "article", "reply")


def chosen(*targets: str, alternates: bool = False) -> list[str]:
    """Return the documents that errands are for, in order."""
    found = select(iter([LAWS, NEWS]), targets, alternates=alternates)
    assert [one.id for one in found.collections] == ["laws", "news"]
    assert not any(one.documents for one in found.collections)
    return [str(errand.document) for errand in found.errands]


def test_without_a_target_everything_is_asked_for_in_seeds_order() -> None:
    """File after file."""
    assert chosen() == ["act", "order", "article", "reply"]


def test_targets_keep_their_own_order_and_are_asked_for_once() -> None:
    """A collection, a document and an address may name the same thing."""
    url = "https://news.example/article"
    assert chosen("reply", "laws", "act", "order") == ["reply", "act", "order"]
    assert chosen(url + "#part", "article", "laws") == ["article", "act", "order"]
    assert chosen("news", url.replace("https", "HTTPS"))[:2] == ["article", "reply"]


def test_an_address_in_no_file_is_an_errand_of_its_own() -> None:
    """It has a document of the collection of such addresses."""
    found = select(iter([LAWS]), ["https://else.example/a", "act"], alternates=False)
    (adhoc,) = found.adhoc
    assert (adhoc.collection, adhoc.url) == (ADHOC, "https://else.example/a")
    assert [errand.document for errand in found.errands] == [adhoc.document, "act"]
    assert found.errands.collections() == {"laws", ADHOC}


def test_what_names_nothing_is_refused_with_what_is_near() -> None:
    """In whatever file that stands."""
    with pytest.raises(UsageError, match="no collection, document or URL 'articel'") as caught:
        select(iter([LAWS, NEWS]), ["act", "articel"], alternates=False)
    assert "Did you mean article?" in str(caught.value)
    with pytest.raises(UsageError, match="provenance list"):
        select(iter([]), ["articel"], alternates=False)


def test_errands_have_what_the_seeds_say_of_them() -> None:
    """Networks of the collection, the expected media type and the date; alternates if asked for."""
    more = 'media_type = "text/html"\npublished = "2021-02"\n' + ALTERNATE.format("act")
    laws = replace(collection("laws", "act", more=more), allow_networks=("10.0.0.0/8",))
    first, second = select(iter([laws]), ["act"], alternates=True).errands
    assert (first.media_type, first.published, first.networks) == (
        "text/html",
        "2021-02",
        ("10.0.0.0/8",),
    )
    assert (second.document, second.url) == ("act.alternate-1", "https://copy.example/act")
    assert (second.published, second.networks) == (first.published, first.networks)
    assert len(select(iter([laws]), [], alternates=True).errands) == 2
    assert len(select(iter([laws]), [], alternates=False).errands) == 1


def test_a_fault_in_the_last_file_stops_a_fetch_of_what_the_first_names(tmp_path: Path) -> None:
    """All faults of all files, and before anything is fetched or written."""
    archive = Archive.init(tmp_path / "root")
    seeds = archive.root / "seeds"
    (seeds / "example.toml").write_text(text_of("laws", "act"))
    (seeds / "more.toml").write_text(text_of("news", "article", "article"))
    (seeds / "other.toml").write_text(text_of("act") + "role = 1\n")
    with pytest.raises(SeedsError) as caught:
        archive.fetch(("act",), SETTINGS)
    assert len(caught.value.faults) == 3
    assert list(archive.archive.iterdir()) == []
