"""Passwords and cookies of the user's own: sent where they belong, flagged, and not kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.errors import UsageError
from provenance.runtime import system_runtime
from tests.roots import SETTINGS, fetched, findings, notes, records, root_of
from tests.wire import playing

SECRET = "s3cret-of-the-reader"


def play(head: bytes) -> bytes:
    if head.startswith(b"GET /robots.txt"):
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nSet-Cookie: seen=yes\r\nContent-Length: 2\r\n\r\nok"


def cookies_txt(folder: Path, host: str) -> Path:
    path = folder / "cookies.txt"
    path.write_text(
        f"# Netscape HTTP Cookie File\n{host}\tFALSE\t/\tFALSE\t0\tsession\t{SECRET}\n"
        f"other.example\tFALSE\t/\tFALSE\t0\telsewhere\t{SECRET}\n"
    )
    return path


def raw_of(archive: Archive) -> bytes:
    return b"".join(repr(fields).encode() + block for _, fields, block in records(archive))


def test_cookies_of_a_file_go_to_their_host_and_are_redacted(tmp_path: Path) -> None:
    """The capture is flagged, and the WARC has no trace of the value."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a")
        (outcome,) = fetched(archive, cookie_file=cookies_txt(tmp_path, "127.0.0.1"))
        assert f"Cookie: session={SECRET}".encode() in wire.requests[-1]
        assert b"elsewhere" not in wire.requests[-1]
    assert outcome.flags == ("authenticated",)
    (note,) = [each for each in notes(archive) if each.get("kind") == "document"]
    assert (note["redacted"], note["credentials_given"]) == (["cookie"], ["cookie"])
    assert SECRET.encode() not in raw_of(archive)
    assert findings(archive) == []


def test_cookies_that_belong_elsewhere_are_not_sent(tmp_path: Path) -> None:
    """A host gets what is its own."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a")
        (outcome,) = fetched(archive, cookie_file=cookies_txt(tmp_path, "another.example"))
        assert all(b"Cookie" not in head for head in wire.requests)
    assert outcome.flags == ()


def test_kept_on_request_and_then_flagged(tmp_path: Path) -> None:
    """`keep_credentials` writes what was sent, and says so."""
    with playing(play, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a")
        cookies = cookies_txt(tmp_path, "127.0.0.1")
        (outcome,) = fetched(archive, cookie_file=cookies, keep_credentials=True)
    assert outcome.flags == ("authenticated", "credentials_kept")
    assert f"Cookie: session={SECRET}".encode() in raw_of(archive)


def test_an_answer_that_nothing_has_changed_is_flagged_like_any_other(tmp_path: Path) -> None:
    """What was sent to get a 304 is in its records too."""

    def unchanged(head: bytes) -> bytes:
        if b"\r\nIf-None-Match: " in head:
            return b"HTTP/1.1 304 Not Modified\r\n\r\n"
        return play(head).replace(b"Set-Cookie: seen=yes", b'ETag: "a"')

    with playing(unchanged, closes=False) as wire:
        archive = root_of(tmp_path, f"{wire.url}/a")
        cookies = cookies_txt(tmp_path, "127.0.0.1")
        fetched(archive, cookie_file=cookies)
        (given,) = fetched(archive, cookie_file=cookies)
        (kept,) = fetched(archive, cookie_file=cookies, keep_credentials=True)
    assert (given.reason, given.flags) == ("not_modified", ("authenticated",))
    assert (kept.reason, kept.flags) == ("not_modified", ("authenticated", "credentials_kept"))
    assert [note["flags"] for note in notes(archive) if note.get("kind") == "document"] == [
        ["authenticated"], ["authenticated"], ["authenticated", "credentials_kept"]
    ]  # fmt: skip
    assert findings(archive) == []


def test_a_password_of_netrc_is_sent_flagged_and_redacted(tmp_path: Path) -> None:
    """It comes from the environment that the runtime hands down."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login reader password {SECRET}\n")
    netrc.chmod(0o600)
    with playing(play, closes=False) as wire:
        root = root_of(tmp_path, f"{wire.url}/a").root
        archive = Archive(root, replace(system_runtime(), environ={"NETRC": str(netrc)}))
        (outcome,) = archive.fetch((), SETTINGS).outcomes
        assert b"\r\nAuthorization: Basic " in wire.requests[-1]
    assert outcome.flags == ("authenticated",)
    assert b"Authorization: redacted" in raw_of(archive)
    assert SECRET.encode() not in raw_of(archive)


@pytest.mark.parametrize("text", ["", "session=1", "\x00\xff"])
def test_a_file_of_another_form_is_a_usage_error(tmp_path: Path, text: str) -> None:
    """It is said before anything is asked for."""
    path = tmp_path / "cookies.txt"
    path.write_bytes(text.encode("latin-1"))
    archive = root_of(tmp_path, "http://127.0.0.1:9/a")
    with pytest.raises(UsageError, match=r"cookies\.txt"):
        fetched(archive, cookie_file=path)
    assert list(archive.archive.iterdir()) == []
