"""`verify` reads what other projects wrote: no traceback, and no digest blamed that agrees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provenance.verify import verify_file

CORPORA = Path(__file__).parents[1].parent / "shared" / "corpora"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CORPORA.is_dir(), reason="no shared corpora beside the checkout"),
]

DIGEST_CODES = {"block_digest", "payload_digest", "digest_unreadable"}
WARC_KINDS = {"warc", "malformed-warc"}


def entries() -> list[Mapping[str, Any]]:
    if not CORPORA.is_dir():
        return []
    listed: list[Mapping[str, Any]] = json.loads((CORPORA / "MANIFEST.json").read_bytes())["files"]
    return listed


ENTRIES = entries()
BAD_BLOCKS = ("False",)
BAD_PAYLOADS = ("NOTHING", "undecodable")


def faulty(entry: Mapping[str, Any]) -> bool:
    """Say whether another reading of the file found a digest that does not agree."""
    blocks = entry.get("declared_block_digests_ok") or {}
    payloads = entry.get("declared_payload_digests") or {}
    return any(blocks.get(each) for each in BAD_BLOCKS) or any(
        payloads.get(each) for each in BAD_PAYLOADS
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["file"]))
def test_any_file_is_judged_without_a_traceback(entry: Mapping[str, Any]) -> None:
    """Every finding has a place, and what was expected and found; the file's digest is right."""
    report = verify_file(CORPORA / entry["file"])
    assert report.sha256 == "sha256:" + entry["sha256"]
    for each in report.findings:
        assert each.warc == Path(entry["file"]).name
        assert each.expected and each.found and each.hint
        assert each.expected.isprintable() and each.found.isprintable()
    if entry["kind"] not in WARC_KINDS | {"arc"}:
        assert [each.code for each in report.findings] == ["foreign_file"]


AGREED = [
    entry
    for entry in ENTRIES
    if entry["kind"] in WARC_KINDS
    and entry.get("agreed_record_count")
    and entry.get("compression") in ("none", "gz")
]

UNENDED = {
    "f2b6cb57-fold.warc",
    "53920dd9-utf8field.warc",
    "8fa6d1cc-test-missing-fields.warc",
}
"""Files that end inside their only record header: other readers count a record, we name the end."""


@pytest.mark.parametrize("entry", AGREED, ids=lambda entry: str(entry["file"]))
def test_as_many_records_are_found_as_other_readers_agree_on(entry: Mapping[str, Any]) -> None:
    """FastWARC, warcio and JWAT count the same; so do we."""
    report = verify_file(CORPORA / entry["file"])
    if Path(entry["file"]).name in UNENDED:
        assert {each.code for each in report.findings} == {"header_unending", "no_record"}
    else:
        assert report.records == entry["agreed_record_count"]


@pytest.mark.parametrize("entry", AGREED, ids=lambda entry: str(entry["file"]))
def test_a_digest_is_blamed_where_it_was_recomputed_as_wrong_and_nowhere_else(
    entry: Mapping[str, Any],
) -> None:
    """The manifest of the corpora has each digest recomputed by other code."""
    report = verify_file(CORPORA / entry["file"])
    blamed = {each.code for each in report.findings} & DIGEST_CODES
    if not faulty(entry):
        assert blamed == set()
    elif "segment" not in entry["file"] and "continuation" not in entry["file"]:
        # The payload digest of a segment is the whole record's (WARC 1.1 §5.9): not judged here.
        assert blamed
    bad = (entry.get("declared_block_digests_ok") or {}).get("False", 0)
    assert sum(each.code == "block_digest" for each in report.findings) == bad
