"""Say what earlier runs captured, for deduplication and resuming; rebuilt from WARCs at need.

Each sealed file has a sidecar `metadata/lookup/NAME.jsonl`: a line on the file and its run, then a
line per capture. A sidecar that is missing or of another file is made again from the WARC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from provenance.digest import Digest
from provenance.errors import ProvenanceError
from provenance.holdings import KeptRequisite, Known
from provenance.warc.draft import Original
from provenance.warc.manifest import read_manifest
from provenance.warc.open_file import open_files, owned
from provenance.warc.reader import read_records
from provenance.warc.sidecar import (
    KnownCapture,
    KnownRun,
    Part,
    keep_sidecar,
    parse_sidecar,
)
from provenance.warc.survey import stretches

LOOKUP = "lookup"

_INFO_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All earlier captures and runs.

    `gathered` holds (run, document) of the pages whose requisites are all there; `at_work` the runs
    that are writing now.
    """

    runs: tuple[KnownRun, ...]
    captures: tuple[KnownCapture, ...]
    requisites: tuple[KeptRequisite, ...] = ()
    gathered: frozenset[tuple[str, str]] = frozenset()
    at_work: frozenset[str] = frozenset()

    def originals(self) -> dict[tuple[str, str], Original]:
        """Return the first full response for each (address, payload digest)."""
        found: dict[tuple[str, str], Original] = {}
        for kept in sorted(self.requisites, key=lambda one: (one.date, one.record_id)):
            original = Original(record_id=kept.record_id, target_uri=kept.url, date=kept.date)
            found.setdefault((kept.url, kept.payload_digest), original)
        for each in sorted(self.captures, key=lambda capture: (capture.date, capture.record_id)):
            if each.outcome == "captured" and each.record_type == "response":
                if each.url is None or each.payload_digest is None:
                    continue
                original = Original(record_id=each.record_id, target_uri=each.url, date=each.date)
                found.setdefault((each.url, each.payload_digest), original)
        return found

    def known(
        self, originals: Mapping[tuple[str, str], Original] | None = None
    ) -> dict[str, Known]:
        """Return the newest full answer of each address whose server gave validators for it.

        A revisit counts with the validators that it came with, for the record that it refers to.
        `originals` is what the method of this name gives, where it is there already.
        """
        originals = self.originals() if originals is None else originals
        found: dict[str, Known] = {}
        for each in sorted(self.captures, key=lambda capture: (capture.date, capture.record_id)):
            if each.outcome not in ("captured", "unchanged") or each.url is None:
                continue
            original = originals.get((each.url, each.payload_digest or ""))
            known = _known(each, original) if original else None
            if known is not None and known.condition:
                found[each.url] = known
            else:
                found.pop(each.url, None)
        return found

    def interrupted(
        self, collection: str, seeds_digest: str | None, targets: tuple[str, ...]
    ) -> tuple[str | None, frozenset[str]]:
        """Return the newest fetch of this collection, if it was cut short, and what it has.

        It counts only when it read the same seeds, was asked for the same targets, and is not still
        at work; what the runs that it completes have counts too.
        """
        runs = [run for run in self.runs if run.collection == collection and run.command == "fetch"]
        if not runs:
            return None, frozenset()
        newest = max(runs, key=lambda run: (run.started_at, run.run))
        same = newest.seeds_digest == seeds_digest and newest.targets == targets
        over = any(run.ended for run in runs if run.run == newest.run)
        if not same or over or newest.run in self.at_work:
            return None, frozenset()
        resumed = {run.run: run.resumes for run in runs}
        chain: list[str] = []
        at: str | None = newest.run
        while at is not None and at not in chain:
            chain.append(at)
            at = resumed.get(at)
        had = (
            one.document
            for one in self.captures
            if one.run in chain
            and (not one.names_requisites or (one.run, one.document) in self.gathered)
        )
        return newest.run, frozenset(had)


def _known(capture: KnownCapture, original: Original) -> Known | None:
    if capture.content_id is None or capture.payload_digest is None:
        return None
    if capture.size is None or capture.payload_size is None:
        return None
    return Known(
        url=original.target_uri,
        record_id=original.record_id,
        date=original.date,
        etag=capture.etag,
        last_modified=capture.last_modified,
        content_id=Digest(capture.content_id),
        size=capture.size,
        payload_digest=Digest(capture.payload_digest),
        payload_size=capture.payload_size,
        media_type=capture.media_type,
    )


def read_history(archive: Path, metadata: Path) -> History:
    """Return the history of all sealed files, from sidecars or, where need be, from WARCs."""
    listed = read_manifest(metadata)
    parts = [
        _part(path, metadata / LOOKUP, listed.get(path.name))
        for path in sorted(archive.glob("*.warc.gz"))
        if path.is_file()
    ]
    return History(
        runs=tuple(run for part in parts for run in part.runs),
        captures=tuple(capture for part in parts for capture in part.captures),
        requisites=tuple(kept for part in parts for kept in part.requisites),
        gathered=frozenset(pair for part in parts for pair in part.gathered),
        at_work=frozenset(_runs_at_work(archive)),
    )


def _runs_at_work(archive: Path) -> Iterator[str]:
    """Yield the ids of the runs whose open files are locked by their writers."""
    for path in open_files(archive):
        with owned(path) as ours:
            if ours:
                continue
        try:
            first = next(read_records(path), None)
            lines = first.block(_INFO_LIMIT).split(b"\r\n") if first else []
        except ProvenanceError:
            continue  # not yet written, or no file of ours
        for line in lines:
            if line.startswith(b"run: "):
                yield line[5:].decode("ascii", "replace")


def _part(path: Path, folder: Path, digest: Digest | None) -> Part:
    """Return what one file adds, from its sidecar, made again where it cannot be used."""
    sidecar = folder / f"{path.name}.jsonl"
    if digest is not None:
        try:
            with sidecar.open("rb") as lines:
                return parse_sidecar(lines, digest)
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            pass  # missing, torn, stale or of another form
    try:
        return keep_sidecar(sidecar, stretches(path))
    except ProvenanceError:
        return Part()  # `verify` says what is wrong with it
