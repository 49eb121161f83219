"""A sealed archive of three real runs, and the tools of a forger who makes all agree again."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from provenance.archive import Archive
from provenance.verify import Finding, Note, Report, verify_archive
from tests.roots import fetched, root_of
from tests.verify_builders import Rec, sha256, to_json
from tests.warc_builders import members_of
from tests.wire import playing

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
MOVED = b"HTTP/1.1 301 Moved Permanently\r\nLocation: /landed\r\nContent-Length: 0\r\n\r\n"
Change = Callable[[Rec], Rec]


class Town:
    """A server with a page, a redirect, a closed door, and news that are new each time.

    No record refers to what the first run has of the news.
    """

    def __init__(self) -> None:
        self.day = 1

    def play(self, head: bytes) -> bytes | None:
        path = head.split()[1]
        if path in (b"/robots.txt", b"/moved"):
            return MOVED if path == b"/moved" else NOT_FOUND
        if path == b"/gone":
            return None
        body = b"<p>The bridge opens.</p>"
        if path == b"/news":
            body += b"<p>Day %d.</p>" % self.day
        fields = b"Content-Type: text/html\r\nContent-Length: %d\r\n" % len(body)
        return b"HTTP/1.1 200 OK\r\n%s\r\n%s" % (fields, body)


def sealed_archive(folder: Path, *paths: str) -> Archive:
    """Fetch these paths twice, one of them a third time; checkpoint after the first two runs."""
    town = Town()
    with playing(town.play) as wire:
        archive = root_of(folder, *(wire.url + path for path in paths))
        for town.day in (1, 2):
            fetched(archive)
            archive.checkpoint()
        fetched(archive, "doc-0")
    return archive


def small_archive(folder: Path) -> Archive:
    """Fetch one page twice, and checkpoint after each run: all is covered, and little."""
    with playing(Town().play) as wire:
        archive = root_of(folder, f"{wire.url}/news")
        for _ in range(2):
            fetched(archive)
            archive.checkpoint()
    return archive


@dataclass
class Heard:
    """What a verification told."""

    report: Report
    findings: list[Finding]
    notes: list[Note]

    @property
    def codes(self) -> set[str]:
        return {each.code for each in self.findings}


def heard(root: Path, *checkpoints: Path) -> Heard:
    """Verify an archive root, with checkpoints that were kept elsewhere."""
    findings: list[Finding] = []
    notes: list[Note] = []
    report = verify_archive(
        root,
        on_finding=findings.append,
        on_note=notes.append,
        jobs=1,
        checkpoints=checkpoints,
    )
    return Heard(report, findings, notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a finding must name: file and offset or capture, and a word of field or records."""

    warc: str | None = None
    offset: int | None = None
    capture_id: str | None = None
    field: str | None = None

    def is_named_in(self, each: Finding) -> bool:
        if each.warc != self.warc:
            return False
        if self.offset is not None or self.capture_id is not None:
            at = self.offset is not None and each.offset == self.offset
            if not at and (self.capture_id is None or each.capture_id != self.capture_id):
                return False
        return self.field is None or self.field in f"{each.field} {each.expected} {each.found}"


def rec_of(plain: bytes) -> Rec:
    """Return a record of ours as the parts of which it is made again."""
    head, _, block = plain.removesuffix(b"\r\n\r\n").partition(b"\r\n\r\n")
    pairs = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    fields = tuple((name, value) for name, value in pairs if name != "Content-Length")
    made = Rec(fields=fields, block=block)
    assert made.plain == plain
    return made


@dataclass
class Scene:
    """An archive root that somebody tampers with; all that is not asked for stays as it was."""

    root: Path

    @property
    def files(self) -> list[str]:
        """The names of the files, in the order of sealing."""
        return sorted(path.name for path in (self.root / "archive").glob("*.warc.gz"))

    def path(self, name: str) -> Path:
        return self.root / "archive" / name

    @property
    def manifest(self) -> Path:
        return self.root / "metadata" / "manifest-sha256.txt"

    @property
    def log(self) -> Path:
        return self.root / "metadata" / "log"

    # Records

    def records(self, name: str) -> list[Rec]:
        return [rec_of(each.plain) for each in members_of(self.path(name).read_bytes())]

    def write(self, name: str, records: Sequence[Rec]) -> None:
        """Write a file of these records: members that are not new keep their bytes."""
        raw = self.path(name).read_bytes()
        known = {each.plain: raw[each.offset :][: each.length] for each in members_of(raw)}
        made = (known.get(each.plain) or gzip.compress(each.plain, mtime=0) for each in records)
        self.path(name).write_bytes(b"".join(made))

    def find(self, name: str, kind: str, ending: str) -> int:
        """Return which record of a file is of this type, its target with this ending."""
        return next(
            at
            for at, each in enumerate(self.records(name))
            if each.value("WARC-Type") == kind
            and dict(each.fields).get("WARC-Target-URI", "").endswith(ending)
        )

    def place(self, name: str, at: int, field: str | None = None) -> Place:
        """Name a record as it is now: its offset, and the capture that it belongs to."""
        members = list(members_of(self.path(name).read_bytes()))
        record = rec_of(members[at].plain)
        own = dict(record.fields).get("WARC-Concurrent-To", record.value("WARC-Record-ID"))
        anchor = next(
            (each for each in members if f"WARC-Record-ID: {own}\r\n".encode() in each.plain),
            members[at],
        )
        return Place(warc=name, offset=members[at].offset, capture_id=anchor.digest, field=field)

    # Making all agree again

    def remake_manifest(self) -> None:
        """Give each line the digest that its file has, and drop the lines of files that are gone.

        Files without a line get one at the end.
        """
        names = [
            line[66:].removeprefix("archive/") for line in self.manifest.read_text().split("\n")
        ]
        there = self.files
        order = [name for name in names if name in there]
        order += [name for name in there if name not in order]
        digests = (hashlib.sha256(self.path(name).read_bytes()).hexdigest() for name in order)
        lines = zip(digests, order, strict=True)
        self.manifest.write_text("".join(f"{each}  archive/{name}\n" for each, name in lines))


def redigested(record: Rec) -> Rec:
    """Return a record with the digests of what it holds now, where it had any."""
    made = record.having()
    fields = dict(record.fields)
    if "WARC-Block-Digest" in fields:
        fields["WARC-Block-Digest"] = sha256(record.block)
    if "WARC-Payload-Digest" in fields and fields["WARC-Type"] == "response":
        fields["WARC-Payload-Digest"] = sha256(body_of(record))
    return replace(made, fields=tuple(fields.items()))


def body_of(record: Rec) -> bytes:
    return record.block.partition(b"\r\n\r\n")[2]


def saying(record: Rec, **said: object) -> Rec:
    """Return a metadata record with other statements, digest made anew."""
    return record.holding(to_json({**json.loads(record.block), **said}))


def agreeing(response: Rec, metadata: Rec, **said: object) -> Rec:
    """Return the metadata record with all that it says of the response made to agree with it."""
    body = sha256(body_of(response))
    truth: dict[str, object] = {
        "captured_at": response.value("WARC-Date"),
        "capture_id": response.digest,
        "capture_record": response.value("WARC-Record-ID")[1:-1],
        "target_uri": response.value("WARC-Target-URI"),
        "url": response.value("WARC-Target-URI"),
        "final_url": response.value("WARC-Target-URI"),
        "content_id": body,
        "payload_digest": body,
        "size": len(body_of(response)),
        "payload_size": len(body_of(response)),
    }
    return saying(metadata, **truth, **said)


def edited(old: bytes, new: bytes) -> Change:
    """Return the change of bytes in a block, and of nothing else."""

    def change(record: Rec) -> Rec:
        assert old in record.block
        return replace(record, block=record.block.replace(old, new))

    return change


def having(**values: str | None) -> Change:
    """Return the change of header fields, in their places."""
    wanted = {name.replace("_", "-"): value for name, value in values.items()}

    def change(record: Rec) -> Rec:
        pairs = ((name, wanted.get(name, value)) for name, value in record.fields)
        return replace(record, fields=tuple((n, v) for n, v in pairs if v is not None))

    return change


@contextlib.contextmanager
def copied(archive: Path, folder: Path) -> Iterator[Scene]:
    """Copy an archive to be tampered with."""
    root = folder / "tampered"
    shutil.copytree(archive, root)
    try:
        yield Scene(root)
    finally:
        shutil.rmtree(root)
