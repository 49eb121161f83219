"""Archive roots for tests: seeds out of addresses, fetches, and what ends up in the files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from provenance.archive import Archive
from provenance.fetch import FetchSettings
from provenance.model import Outcome
from provenance.warc.reader import read_records

SETTINGS = FetchSettings(delay_s=0, retries=0, timeout_s=5, allow_private=True)


def root_of(folder: Path, *urls: str, more: str = "") -> Archive:
    """Return a new root with one document per address: doc-0, doc-1, … of the collection test."""
    archive = Archive.init(folder / "root")
    documents = "".join(
        f'[[document]]\nid = "doc-{number}"\ntitle = "Document {number}"\nrole = "official"\n'
        f'publisher = "The council"\npublisher_kind = "government"\nurl = "{url}"\n{more}'
        for number, url in enumerate(urls)
    )
    head = '[collection]\nid = "test"\ntitle = "Test"\nabout = "Test."\n'
    (archive.root / "seeds" / "example.toml").write_text(head + documents)
    return archive


def fetched(archive: Archive, *targets: str, **settings: object) -> list[Outcome]:
    """Return the outcomes of one run."""
    return list(archive.fetch(targets, replace(SETTINGS, **settings)).outcomes)  # type: ignore[arg-type]


def findings(archive: Archive) -> list[str]:
    """Return the codes of what `verify` finds."""
    found: list[str] = []
    archive.verify(
        on_finding=lambda each: found.append(f"{each.code} {each.field} {each.found}"),
        on_note=lambda _note: None,
        on_capture=lambda _verdict: None,
    )
    return found


def records(archive: Archive) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """Yield (type, header fields, block) of every record of every file, in order."""
    for path in sorted(archive.archive.glob("*.warc.gz")):
        for record in read_records(path):
            block = record.block(1 << 26)
            record.finish()
            yield record.header.type, dict(record.header.fields), block


def notes(archive: Archive) -> list[dict[str, object]]:
    """Return the JSON of every metadata record that is JSON."""
    return [
        json.loads(block)
        for kind, fields, block in records(archive)
        if kind == "metadata" and fields["Content-Type"] == "application/json"
    ]


def make_certificate(folder: Path, *, name: str = "IP:127.0.0.1") -> Path:
    """Return a PEM file with the key and the self-signed certificate of a loopback server."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=loopback", "-addext", f"subjectAltName={name}", "-keyout", "key.pem",
         "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return both
