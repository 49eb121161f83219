"""The index is a function of what it is made from, and of nothing else on the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.digest import Digest
from provenance.holdings import Survey
from provenance.index import build, dump_digest
from provenance.model import (
    ADHOC,
    Alternate,
    AlternateRole,
    CollectionId,
    DocumentId,
    OutcomeKind,
    Relation,
    RelationKind,
)
from tests.index_builders import (
    Extract,
    a_capture,
    a_collection,
    a_document,
    a_redirect,
    a_run,
    a_survey,
    library,
    with_redirects,
)

ROOT = Path(__file__).parents[1]
COLLECTIONS = (
    a_collection(
        a_document(
            "İstanbul-ı",
            alternates=(Alternate(url="https://m.example/", role=AlternateRole.RECORD),),
            relations=(Relation(kind=RelationKind.CITES, document=DocumentId("b")),),
        ),
        a_document("a", title="Änderung 港口"),
    ),
    a_collection(
        a_document("b", collection=CollectionId("Ärger")), identifier=CollectionId("Ärger")
    ),
)
CAPTURES = (
    with_redirects(a_capture("a", "one", 1), a_redirect("http://a.example/", "/x")),
    a_capture("a", "two", 2),
    a_capture("a", "one", 3, record_type="revisit", outcome=OutcomeKind.UNCHANGED),
    a_capture("b", "one", 1),
    a_capture("b", None, 4),
    a_capture("stray", "three", 5, collection=ADHOC),
    a_capture("stray", "three", 5, collection=CollectionId("gone"), capture_id=Digest("sha256:0")),
)
TEXTS = library(
    one=Extract(text="港口 one", pages=(0, 3), links=(("https://b.example/", None),)),
    two=Extract(text="two", title="Two"),
)


def surveys() -> tuple[Survey, ...]:
    """Return files that share captures, and a run that fills several."""
    return (
        a_survey(*CAPTURES[:4], warc="a.warc.gz", runs=(a_run(ended_at=None, outcomes=()),)),
        a_survey(*CAPTURES[3:], warc="B.warc.gz", runs=(a_run(),)),
        a_survey(*CAPTURES[1:3], warc="ä.warc.gz", runs=(a_run(command="add", run="other"),)),
    )


def digests_of(*, collections: object = COLLECTIONS, files: object = None) -> tuple[Digest, Digest]:
    """Build in a new folder; return both digests."""
    with tempfile.TemporaryDirectory() as folder:
        made = build(
            path=Path(folder) / "i.db",
            collections=collections,  # type: ignore[arg-type]
            surveys=surveys() if files is None else files,  # type: ignore[arg-type]
            derive=TEXTS,
        )
        assert dump_digest(made.path) == (made.digest, made.core_digest)
        return made.digest, made.core_digest


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_no_order_changes_the_digest(data: st.DataObject) -> None:
    """Files, collections, and captures and records within files come in any order."""
    shuffled = [
        replace(
            each,
            captures=tuple(data.draw(st.permutations(each.captures))),
            records=tuple(data.draw(st.permutations(each.records))),
        )
        for each in data.draw(st.permutations(surveys()))
    ]
    collections = data.draw(st.permutations(COLLECTIONS))
    assert digests_of(collections=collections, files=shuffled) == digests_of()


def test_the_order_of_seeds_documents_counts() -> None:
    """A document's position is part of its seeds file, so the digest holds it."""
    first = COLLECTIONS[0]
    turned = replace(first, documents=first.documents[::-1])
    assert digests_of(collections=(turned, COLLECTIONS[1])) != digests_of()


@pytest.mark.parametrize(
    "environ",
    [
        {"TZ": "Asia/Urumqi", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONHASHSEED": "3", "HOME": "/", "USER": "other"},
    ],
    ids=["zone", "locale", "plain-c"],
)
def test_no_environment_changes_the_digest(environ: dict[str, str]) -> None:
    """Another process in another zone, locale, home and hash seed makes the same index."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    found = subprocess.run(
        [sys.executable, "-m", "tests.test_index_order"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert tuple(found.stdout.split()) == digests_of()


def test_a_second_build_makes_the_same_bytes(tmp_path: Path) -> None:
    """On one machine even the file is the same, byte for byte, after deleting it or not."""
    made: list[bytes] = []
    for _ in range(2):
        path = tmp_path / "i.db"
        build(path=path, collections=COLLECTIONS, surveys=surveys(), derive=TEXTS)
        made.append(path.read_bytes())
    assert made[0] == made[1]


if __name__ == "__main__":
    sys.stdout.write(" ".join(digests_of()))
