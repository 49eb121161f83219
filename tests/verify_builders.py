"""Write small WARC files byte by byte, by the profile's page and not by the project's writer."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from provenance.verify import Finding, Note, Report, verify_archive

NAME = "bridge-20261123094500000-00000.warc.gz"
RUN = "0f6c1a5e-6a0e-4a51-9d0c-5a3a4f1f7c11"
DATE = "2026-11-23T09:45:00.000000Z"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"

Fields = tuple[tuple[str, str], ...]


def sha256(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def urn(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


@dataclass(frozen=True, kw_only=True)
class Rec:
    """A record: its fields without Content-Length, and its block."""

    fields: Fields
    block: bytes = b""
    length: int | None = None

    @property
    def header(self) -> bytes:
        size = len(self.block) if self.length is None else self.length
        lines = [f"{name}: {value}\r\n" for name, value in self.fields]
        return f"WARC/1.1\r\n{''.join(lines)}Content-Length: {size}\r\n\r\n".encode()

    @property
    def digest(self) -> str:
        return sha256(self.header + self.block)

    @property
    def plain(self) -> bytes:
        return self.header + self.block + b"\r\n\r\n"

    @property
    def member(self) -> bytes:
        return gzip.compress(self.plain, mtime=0)

    def value(self, name: str) -> str:
        return dict(self.fields)[name]

    def having(self, **values: str | None) -> Rec:
        """Return the record with fields set (`WARC_Date="…"`), or left out for None."""
        fields = dict(self.fields)
        for name, value in values.items():
            fields.pop(name.replace("_", "-"), None)
            if value is not None:
                fields[name.replace("_", "-")] = value
        return replace(self, fields=tuple(fields.items()))

    def holding(self, block: bytes) -> Rec:
        """Return the record with another block, its block digest made anew."""
        return replace(self, block=block).having(WARC_Block_Digest=sha256(block))


def rec(kind: str, number: int, block: bytes, content_type: str, *fields: tuple[str, str]) -> Rec:
    lead = (("WARC-Type", kind), ("WARC-Record-ID", f"<{urn(number)}>"), ("WARC-Date", DATE))
    tail = (("WARC-Block-Digest", sha256(block)), ("Content-Type", content_type))
    return Rec(fields=lead + fields + tail, block=block)


def warcinfo(seeds: bytes = b"") -> Rec:
    block = (
        "software: provenance/0.1.0\r\nformat: WARC File Format 1.1\r\n"
        f"run: {RUN}\r\ncollection: bridge\r\ncommand: fetch\r\n"
        f"seeds-file: bridge.toml\r\nseeds-sha256: {hashlib.sha256(seeds).hexdigest()}\r\n"
    )
    return rec("warcinfo", 1, block.encode(), "application/warc-fields", ("WARC-Filename", NAME))


def to_json(said: Mapping[str, object]) -> bytes:
    return (json.dumps(said, sort_keys=True, indent=1) + "\n").encode()


@dataclass(frozen=True, kw_only=True)
class Cap:
    """A fetched capture of ours: request, response (or revisit, resource), and what is said."""

    request: Rec | None
    anchor: Rec
    said: Mapping[str, object]
    number: int

    @property
    def metadata(self) -> Rec:
        fields = [("WARC-Target-URI", self.anchor.value("WARC-Target-URI"))]
        fields.append(("WARC-Concurrent-To", self.anchor.value("WARC-Record-ID")))
        block = to_json(self.said)
        return rec("metadata", self.number + 2, block, "application/json", *fields)

    @property
    def records(self) -> tuple[Rec, ...]:
        before = (self.request,) if self.request else ()
        return (*before, self.anchor, self.metadata)

    def saying(self, **said: object) -> Cap:
        return replace(self, said={**self.said, **said})

    def with_anchor(self, anchor: Rec) -> Cap:
        """Return the capture with another response that its metadata does not know of."""
        return replace(self, anchor=anchor)


def capture(number: int, body: bytes = b"<p>The bridge opens.</p>", head: bytes = b"") -> Cap:
    """Return a capture whose parts agree; `number` is a multiple of ten."""
    uri = f"http://council.example/page-{number}"
    head = head or HEAD % len(body)
    chunked = b"chunked" in head
    where = (("WARC-Target-URI", uri), ("WARC-IP-Address", "192.0.2.7"))
    request = rec(
        "request",
        number,
        b"GET /page HTTP/1.1\r\nHost: council.example\r\n\r\n",
        "application/http;msgtype=request",
        *where,
        ("WARC-Concurrent-To", f"<{urn(number + 1)}>"),
    )
    payload = () if chunked else (("WARC-Payload-Digest", sha256(body)),)
    anchor = rec(
        "response",
        number + 1,
        head + body,
        "application/http;msgtype=response",
        *where,
        *payload,
    )
    said = {
        "profile": "provenance-capture-1",
        "kind": "document",
        "run": RUN,
        "collection": "bridge",
        "document": f"page-{number}",
        "url": uri,
        "target_uri": uri,
        "outcome": "captured",
        "status": 200,
        "captured_at": DATE,
        "capture_id": anchor.digest,
        "capture_record": urn(number + 1),
        "content_id": sha256(body),
        "size": len(body),
        "payload_digest": sha256(body),
        "payload_size": len(body),
        "undecoded": None,
        "truncated": None,
        "redirects": [],
        "obtained": {"how": "fetched"},
    }
    return Cap(request=request, anchor=anchor, said=said, number=number)


def revisit(number: int, original: Cap) -> Cap:
    """Return a capture that found the original's payload again."""
    new = capture(number, original.anchor.block.partition(b"\r\n\r\n")[2])
    block = HEAD % len(original.anchor.block.partition(b"\r\n\r\n")[2])
    anchor = new.anchor.holding(block).having(
        WARC_Type="revisit",
        WARC_Profile=IDENTICAL,
        WARC_Refers_To=original.anchor.value("WARC-Record-ID"),
        WARC_Refers_To_Target_URI=original.anchor.value("WARC-Target-URI"),
        WARC_Refers_To_Date=original.anchor.value("WARC-Date"),
    )
    return reknown(replace(new, anchor=anchor)).saying(outcome="unchanged")


def reknown(cap: Cap) -> Cap:
    """Return the capture with metadata that knows its anchor's digest, as a forger would."""
    return cap.saying(capture_id=cap.anchor.digest)


def failure(number: int) -> Rec:
    """Return the metadata record of a document that nothing came of."""
    said = {
        "profile": "provenance-capture-1",
        "kind": "document",
        "run": RUN,
        "collection": "bridge",
        "document": f"page-{number}",
        "outcome": "failed",
        "reason": "refused",
        "captured_at": DATE,
        "capture_id": None,
        "capture_record": None,
    }
    uri = ("WARC-Target-URI", "http://gone.example/")
    return rec("metadata", number, to_json(said), "application/json", uri)


def closing(**outcomes: int) -> Rec:
    said = {
        "profile": "provenance-run-1",
        "run": RUN,
        "collection": "bridge",
        "state": "complete",
        "outcomes": outcomes,
    }
    uri = ("WARC-Target-URI", f"urn:uuid:{RUN}")
    return rec("metadata", 9, to_json(said), "application/json", uri)


def good_records() -> list[Rec]:
    """Return the records of a file in which everything agrees: four outcomes."""
    first, second = capture(10), capture(20, b"<p>\xe6\xa1\xa5</p>" * 9)
    return [
        warcinfo(),
        *first.records,
        *second.records,
        *revisit(30, first).records,
        failure(40),
        closing(captured=2, unchanged=1, failed=1),
    ]


def packed(records: Sequence[Rec]) -> bytes:
    return b"".join(each.member for each in records)


@dataclass
class Told:
    """What a verification told."""

    report: Report | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def codes(self) -> set[str]:
        return {each.code for each in self.findings}

    def only(self, code: str) -> Finding:
        found = [each for each in self.findings if each.code == code]
        assert len(found) == 1, self.findings
        return found[0]


def write_root(root: Path, files: Mapping[str, bytes], *, manifest: bytes | None = None) -> Path:
    """Write an archive root; its manifest lists the files unless another is given."""
    for name in ("archive", "metadata", "seeds"):
        (root / name).mkdir(exist_ok=True)
    for name, raw in files.items():
        (root / "archive" / name).write_bytes(raw)
    lines = b"".join(
        f"{hashlib.sha256(raw).hexdigest()}  archive/{name}\n".encode()
        for name, raw in files.items()
    )
    (root / "metadata" / "manifest-sha256.txt").write_bytes(lines if manifest is None else manifest)
    (root / "seeds" / "bridge.toml").write_bytes(b"")
    return root


def told(root: Path) -> Told:
    """Verify an archive root and gather what it tells."""
    heard = Told()
    heard.report = verify_archive(
        root, on_finding=heard.findings.append, on_note=heard.notes.append
    )
    return heard


def told_of(tmp_path: Path, records: Sequence[Rec], name: str = NAME) -> Told:
    """Verify an archive of one file with these records, listed in its manifest."""
    return told(write_root(tmp_path, {name: packed(records)}))


def changed(records: Sequence[Rec], at: int, change: Callable[[Rec], Rec]) -> list[Rec]:
    """Return the records with the one at `at` changed."""
    return [change(each) if index == at else each for index, each in enumerate(records)]
