"""What is kept around the bytes: certificate chains, settings in force, clocks."""

from __future__ import annotations

import gzip
import ssl
from pathlib import Path

import pytest

from provenance.digest import digest_of
from tests.roots import fetched, findings, make_certificate, notes, records, root_of
from tests.wire import playing


def play(head: bytes) -> bytes:
    if head.startswith(b"GET /robots.txt"):
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nDate: Mon, 22 Feb 2021 09:30:00 GMT\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def test_each_distinct_certificate_chain_is_kept_once_and_named_by_its_digest(
    tmp_path: Path, certificate: Path
) -> None:
    """The captures name the SHA-256 of the PEM that one record of the file holds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with playing(play, closes=False, context=context) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a", f"{wire.url}/b")
        outcomes = fetched(archive, ca_file=certificate.parent / "cert.pem")
    assert [each.outcome for each in outcomes] == ["captured", "captured"]
    kept = [block for kind, fields, block in records(archive)
            if fields["Content-Type"] == "application/pem-certificate-chain"]  # fmt: skip
    assert kept == [(certificate.parent / "cert.pem").read_bytes()]
    sessions = [note["tls"] for note in notes(archive) if note.get("kind") == "document"]
    for tls in sessions:
        assert isinstance(tls, dict)
        assert tls["chain"] == digest_of(kept[0])
        assert tls["version"].startswith("TLSv1.")
    assert findings(archive) == []


def test_a_chain_that_is_gone_is_a_finding(tmp_path: Path, certificate: Path) -> None:
    """`verify` says which capture names it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with playing(play, closes=False, context=context) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a")
        (outcome,) = fetched(archive, ca_file=certificate.parent / "cert.pem")
    assert outcome.warc is not None
    path = archive.archive / outcome.warc
    members = []
    for kind, fields, block in records(archive):
        if fields["Content-Type"] != "application/pem-certificate-chain":
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            text = f"WARC/1.1\r\n{lines}\r\n".encode() + block + b"\r\n\r\n"
            members.append(gzip.compress(text, mtime=0))
            assert kind
    path.write_bytes(b"".join(members))
    assert any(found.startswith("chain_missing tls.chain") for found in findings(archive))


def test_settings_in_force_and_the_server_clock_are_in_the_file(tmp_path: Path) -> None:
    """warcinfo names the settings; the note tells how far the clocks are apart."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a")
        fetched(archive, max_bytes=12345, ignore_robots="agreed with the publisher")
    info = next(block for kind, _, block in records(archive) if kind == "warcinfo").decode()
    assert "setting-max-bytes: 12345\r\n" in info
    assert "setting-ignore-robots: agreed with the publisher\r\n" in info
    (note,) = [note for note in notes(archive) if note.get("kind") == "document"]
    offset = note["clock_offset_s"]
    assert isinstance(offset, float)
    assert offset > 1e8
    assert note["robots"] == {
        "url": f"{wire.url}/robots.txt",
        "verdict": "ignored",
        "reason": "agreed with the publisher",
    }


def test_a_scheme_in_capitals_is_recorded_in_small_letters(tmp_path: Path) -> None:
    """Other readers tell by `http:`, as it stands, that a record has a payload behind a head."""
    with playing(play, closes=False) as wire:
        asked = wire.url.replace("http", "HTTP") + "/Doc"
        archive = root_of(tmp_path, asked)
        outcomes = fetched(archive) + fetched(archive)
    assert [(str(each.outcome), each.url) for each in outcomes] == [
        ("captured", asked), ("unchanged", asked)
    ]  # fmt: skip
    targets = {fields.get("WARC-Target-URI", "") for _, fields, _ in records(archive)}
    web = {each for each in targets if each.lower().startswith("http")}
    assert web == {f"{wire.url}/Doc", f"{wire.url}/robots.txt"}
    assert findings(archive) == []
