"""Fetch from a server on loopback under made-up names, and read back what was recorded.

Names are resolved by the rig: each stands for the server, whatever its port, so that pages have the
addresses that rules are about. Records are read with warcio, which is not how the program reads.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from provenance.archive import Archive
from provenance.fetch import FetchSettings
from provenance.model import Outcome
from provenance.runtime import Address, Runtime, system_runtime
from tests.wire import Wire, playing

SETTINGS = FetchSettings(delay_s=0, retries=0, timeout_s=5, allow_private=True)
NOWHERE = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"

Play = bytes | None | Callable[[], bytes | None]
"""What a page answers: bytes, nothing but a hang-up, or whatever a call gives."""


def reply(body: bytes = b"", *fields: str, status: str = "200 OK", media: str = "") -> bytes:
    """Return a response with a Content-Length; `media` is the Content-Type, HTML if empty."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media or 'text/html; charset=utf-8'}", *fields]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def leading_to(location: str, *fields: str, status: str = "302 Found") -> bytes:
    """Return a redirect."""
    return reply(b"", f"Location: {location}", *fields, status=status)


def in_turn(*answers: Play) -> Callable[[], bytes | None]:
    """Return a page that answers differently each time; the last answer stays."""
    left = list(answers)

    def play() -> bytes | None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer() if callable(answer) else answer

    return play


@contextlib.contextmanager
def web(pages: Mapping[str, Play]) -> Iterator[Wire]:
    """Serve pages by `host/path?query`; what is not there is a 404, robots.txt too."""

    def play(head: bytes) -> bytes | None:
        answer = pages.get(asked_for(head), NOWHERE)
        return answer() if callable(answer) else answer

    with playing(play, closes=False) as wire:
        yield wire


def asked_for(head: bytes) -> str:
    """Return what a request asks for as `host/path?query`."""
    lines = head.decode("latin-1").split("\r\n")
    hosts = [line[5:].strip() for line in lines if line.lower().startswith("host:")]
    return hosts[0] + lines[0].split()[1]


@dataclass(slots=True)
class Clock:
    """A clock that only sleeping moves; `slept` lists the seconds of each sleep."""

    at: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at + timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return 1000.0 + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def runtime(wire: Wire, clock: Clock | None = None, **more: Any) -> Runtime:
    """Return a runtime in which every name is the server; `clock` moves by sleeping alone."""

    def resolve(host: str, port: int) -> tuple[Address, ...]:
        return ((socket.AF_INET, (wire.address, wire.port)),)

    made = replace(system_runtime(), resolve=resolve, jitter=lambda: 0.5)
    if clock is not None:
        made = replace(made, now=clock.now, monotonic=clock.monotonic, sleep=clock.sleep)
    return replace(made, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A WARC record as warcio reads it."""

    type: str
    uri: str | None
    fields: dict[str, str]
    block: bytes

    @property
    def note(self) -> dict[str, Any]:
        """The block as JSON."""
        found: dict[str, Any] = json.loads(self.block)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One run: its outcomes in order, and the records of its archive."""

    archive: Archive
    outcomes: tuple[Outcome, ...]
    records: tuple[Record, ...]

    @property
    def outcome(self) -> Outcome:
        """The only outcome."""
        (only,) = self.outcomes
        return only

    def notes(self, kind: str = "document") -> list[dict[str, Any]]:
        """Return the metadata records of visits of this kind, in file order."""
        of_captures = [
            record.note
            for record in self.records
            if record.type == "metadata" and b'"provenance-capture-1"' in record.block
        ]
        return [note for note in of_captures if note["kind"] == kind]

    @property
    def note(self) -> dict[str, Any]:
        """The metadata record of the only document."""
        (only,) = self.notes()
        return only

    def of_type(self, *types: str) -> list[Record]:
        """Return the records of these types, in file order."""
        return [record for record in self.records if record.type in types]

    def information(self) -> str:
        """Return the block of the first warcinfo record."""
        return self.of_type("warcinfo")[0].block.decode()

    def raw(self) -> bytes:
        """Return all that the WARC files hold, uncompressed."""
        files = sorted(self.archive.archive.glob("*.warc.gz"))
        return b"".join(gzip.decompress(path.read_bytes()) for path in files)


def rooted(root: Path, *urls: str, networks: str = "") -> Path:
    """Make an archive root with one document for each address: `doc-0`, `doc-1` and so on."""
    Archive.init(root)
    head = '[collection]\nid = "test"\ntitle = "Test"\nabout = "Test."\n'
    head += f"allow_networks = [{networks!r}]\n" if networks else ""
    documents = "".join(
        f'[[document]]\nid = "doc-{number}"\ntitle = "Document {number}"\nrole = "official"\n'
        f'publisher = "The council"\npublisher_kind = "government"\nurl = "{url}"\n'
        for number, url in enumerate(urls)
    )
    (root / "seeds" / "example.toml").write_text(head + documents, "utf-8")
    return root


def run(root: Path, made: Runtime, settings: FetchSettings = SETTINGS) -> Fetched:
    """Fetch every document of a root once, and read its archive back."""
    archive = Archive(root, made)
    outcomes = tuple(archive.fetch((), settings).outcomes)
    return Fetched(archive=archive, outcomes=outcomes, records=tuple(records_of(archive)))


def fetched(
    root: Path,
    wire: Wire,
    *urls: str,
    clock: Clock | None = None,
    settings: FetchSettings = SETTINGS,
) -> Fetched:
    """Make a root with these addresses and fetch them once."""
    return run(rooted(root, *urls), runtime(wire, clock), settings)


def records_of(archive: Archive) -> Iterator[Record]:
    """Yield the records of every WARC file, in the order of names and offsets."""
    for path in sorted(archive.archive.glob("*.warc.gz")):
        with path.open("rb") as stream:
            for found in ArchiveIterator(stream, no_record_parse=True):
                fields = dict(found.rec_headers.headers)
                yield Record(
                    type=found.rec_type,
                    uri=fields.get("WARC-Target-URI"),
                    fields=fields,
                    block=found.content_stream().read(),
                )


def findings(archive: Archive) -> list[str]:
    """Return the codes of what `verify` finds."""
    found: list[str] = []
    archive.verify(
        on_finding=lambda each: found.append(each.code),
        on_note=lambda _note: None,
        on_capture=lambda _verdict: None,
    )
    return found
