"""The hall against a real server: fetch, kill, resume, add, index, verify."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.errors import NotARootError, SeedsError, UsageError
from provenance.fetch import FetchSettings
from provenance.fetch.redirects import redirect_target_of
from provenance.http_message import parse_response_head
from provenance.model import Outcome
from provenance.runtime import system_runtime
from tests.wire import playing

SETTINGS = FetchSettings(delay_s=0, retries=0, timeout_s=5, allow_private=True)


def answer(head: bytes) -> bytes:
    path = head.split()[1]
    if path == b"/robots.txt":
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    body = b"<p>document " + path + b"</p>"
    return (
        b"HTTP/1.1 200 OK\r\nX-A:nospace\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s"
        % (
            len(body),
            body,
        )
    )


def rooted(tmp_path: Path, *urls: str) -> Archive:
    archive = Archive.init(tmp_path / "root")
    documents = "".join(
        f'[[document]]\nid = "doc-{number}"\ntitle = "Document {number}"\nrole = "official"\n'
        f'publisher = "The council"\npublisher_kind = "government"\nurl = "{url}"\n'
        for number, url in enumerate(urls)
    )
    head = '[collection]\nid = "test"\ntitle = "Test"\nabout = "Test."\n'
    (archive.root / "seeds" / "example.toml").write_text(head + documents)
    return archive


def outcomes(archive: Archive, *targets: str) -> list[Outcome]:
    return list(archive.fetch(targets, SETTINGS).outcomes)


def findings(archive: Archive) -> list[str]:
    found: list[str] = []
    archive.verify(
        on_finding=lambda each: found.append(each.code),
        on_note=lambda _note: None,
        on_capture=lambda _verdict: None,
    )
    return found


def test_the_bytes_on_the_wire_are_in_the_file(tmp_path: Path) -> None:
    """What plain gzip reads out of the file holds the response as it was sent."""
    with playing(answer, closes=False) as wire:
        archive = rooted(tmp_path, f"{wire.url}/a")
        (outcome,) = outcomes(archive)
    assert outcome.warc is not None
    raw = gzip.decompress((archive.archive / outcome.warc).read_bytes())
    assert answer(b"GET /a ") in raw
    assert wire.requests[-1] in raw
    assert findings(archive) == []


def test_a_second_fetch_of_the_same_bytes_is_a_revisit(tmp_path: Path) -> None:
    """Unchanged content is not stored twice, and the content id stays."""
    with playing(answer, closes=False) as wire:
        archive = rooted(tmp_path, f"{wire.url}/a")
        (first,) = outcomes(archive)
        (second,) = outcomes(archive)
    assert (first.outcome, second.outcome) == ("captured", "unchanged")
    assert first.content_id == second.content_id
    assert findings(archive) == []


def test_two_documents_that_end_at_one_address_fare_alike_whichever_came_first(
    tmp_path: Path,
) -> None:
    """Both are captured in the run that finds them, and both unchanged in the next."""

    def play(head: bytes) -> bytes:
        if head.split()[1] == b"/moved":
            return b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"
        return answer(head)

    with playing(play, closes=False) as wire:
        archive = rooted(tmp_path, f"{wire.url}/a", f"{wire.url}/moved")
        assert [each.outcome for each in outcomes(archive)] == ["captured", "captured"]
        assert [each.outcome for each in outcomes(archive)] == ["unchanged", "unchanged"]
    assert findings(archive) == []


def test_an_interrupted_run_is_completed_and_a_complete_one_begun_anew(tmp_path: Path) -> None:
    """What the interrupted run has is skipped, once."""
    with playing(answer, closes=False) as wire:
        archive = rooted(tmp_path, *(f"{wire.url}/{number}" for number in range(3)))
        stopped = archive.fetch((), SETTINGS).outcomes
        next(stopped)
        stopped.close()
        again = Counter(each.outcome.value for each in outcomes(archive))
        assert again["skipped"] >= 1
        assert again["skipped"] + again["captured"] == 3
        anew = Counter(each.outcome.value for each in outcomes(archive))
        assert anew == {"unchanged": 3}
    assert findings(archive) == []


def test_a_torn_tail_is_set_aside_and_every_whole_record_kept(tmp_path: Path) -> None:
    """A half-written last record goes to set-aside; the file is sealed and listed."""
    with playing(answer, closes=False) as wire:
        archive = rooted(tmp_path, f"{wire.url}/a")
        (outcome,) = outcomes(archive)
    assert outcome.warc is not None
    sealed = archive.archive / outcome.warc
    raw = sealed.read_bytes()
    (archive.metadata / "manifest-sha256.txt").write_text("")
    sealed.unlink()
    (archive.archive / f"{outcome.warc}.open").write_bytes(raw[:-20])
    (recovered,) = archive.recover()
    assert recovered.torn_bytes > 0
    assert sealed.exists()
    assert list((archive.metadata / "set-aside").iterdir())
    assert findings(archive) == []
    done = subprocess.run(
        ["sha256sum", "-c", "metadata/manifest-sha256.txt"], cwd=archive.root, check=False
    )
    assert done.returncode == 0


def test_the_index_is_the_same_after_it_was_deleted(tmp_path: Path) -> None:
    """WARC and seeds are the only sources."""
    with playing(answer, closes=False) as wire:
        archive = rooted(tmp_path, f"{wire.url}/a", f"{wire.url}/b")
        outcomes(archive)
    first = archive.index().digest
    archive.index_path.unlink()
    assert archive.index().digest == first
    assert archive.index_check().same


def test_an_added_file_has_the_content_id_that_sha256sum_prints(tmp_path: Path) -> None:
    """`add` binds a file to a document; its bytes are the content."""
    archive = rooted(tmp_path)
    entry = '[[document]]\nid = "letter"\ntitle = "Letter"\nrole = "source"\n'
    entry += 'publisher = "A pilot"\npublisher_kind = "private"\n'
    with (archive.root / "seeds" / "example.toml").open("a") as seeds:
        seeds.write(entry)
    letter = tmp_path / "letter.txt"
    letter.write_bytes("Der Brief, 这座桥".encode())
    (outcome,) = archive.add([letter], document="letter")
    printed = subprocess.run(["sha256sum", letter], capture_output=True, text=True, check=True)
    assert outcome.content_id == f"sha256:{printed.stdout.split()[0]}"
    archive.index()
    assert [hit.document for hit in archive.search("这座")] == ["letter"]
    assert findings(archive) == []
    with pytest.raises(UsageError, match="no document"):
        archive.add([letter], document="nothing")


def test_a_url_outside_the_seeds_is_kept_in_adhoc_with_an_entry_to_keep(tmp_path: Path) -> None:
    """The printed entry, once it is completed, is a document of a seeds file, and not before."""
    with playing(answer, closes=False) as wire:
        archive = rooted(tmp_path)
        fetching = archive.fetch([f"{wire.url}/page"], SETTINGS)
        (outcome,) = fetching.outcomes
    assert (outcome.collection, outcome.outcome) == ("adhoc", "captured")
    with (archive.root / "seeds" / "example.toml").open("a") as seeds:
        seeds.write(archive.entry_to_keep(fetching.adhoc[0]))
    with pytest.raises(SeedsError) as refused:
        archive.collections()
    assert len(refused.value.faults) == 4
    entry = (archive.root / "seeds" / "example.toml").read_text()
    for key, value in (("title", "T"), ("role", "official"), ("publisher", "P")):
        entry = entry.replace(f'{key} = ""', f'{key} = "{value}"')
    entry = entry.replace('publisher_kind = ""', 'publisher_kind = "ngo"')
    (archive.root / "seeds" / "example.toml").write_text(entry)
    assert [each.url for one in archive.collections() for each in one.documents] == [outcome.url]


def test_an_unreachable_name_is_a_recorded_failure(tmp_path: Path) -> None:
    """Failures are records too, with their reason."""

    def nobody(host: str, port: int) -> tuple[()]:
        raise OSError(f"no address for {host}:{port}")

    archive = rooted(tmp_path, "http://nowhere.example/")
    archive = Archive(archive.root, replace(system_runtime(), resolve=nobody))
    (outcome,) = outcomes(archive)
    assert (outcome.outcome, outcome.reason) == ("failed", "dns")
    assert archive.index().captures == 1
    assert findings(archive) == []


def test_what_is_no_root_or_holds_broken_seeds_is_said_before_anything_is_fetched(
    tmp_path: Path,
) -> None:
    """The error names `init`, or every fault."""
    with pytest.raises(NotARootError, match="provenance init"):
        Archive(tmp_path)
    archive = rooted(tmp_path)
    (archive.root / "seeds" / "example.toml").write_text("[collection\n")
    with pytest.raises(SeedsError):
        archive.fetch()
    assert list(archive.archive.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["frobnicate"], 2),
        (["list", "--frobnicate"], 2),
        (["list"], 2),
        (["--help"], 0),
        (["--version"], 0),
    ],
)
def test_exit_statuses_of_the_command_line(
    arguments: list[str], status: int, tmp_path: Path
) -> None:
    """Usage errors end with 2; a directory that is no root is one of them."""
    call = [sys.executable, "-c", "from provenance.cli import main; main()", *arguments]
    assert subprocess.run(call, cwd=tmp_path, capture_output=True, check=False).returncode == status


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/next#part", "http://a.example/next"),
        ("//b.example/x", "http://b.example/x"),
        ("http://user:secret@b.example/x", "http://b.example/x"),
        ("/caf\xc3\xa9 1", "http://a.example/caf%C3%A9%201"),
        ("mailto:a@b.example", None),
        ("http://[bad/", None),
    ],
)
def test_a_redirect_leads_to_a_clean_address(location: str, target: str | None) -> None:
    """User name and password are dropped, other bytes percent-escaped, foreign schemes left."""
    raw = f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\n\r\n".encode("latin-1")
    head = parse_response_head(raw)
    assert head is not None
    assert redirect_target_of(head, "http://a.example/start") == target


def test_ctrl_c_ends_at_once_with_130_and_a_whole_archive(tmp_path: Path) -> None:
    """A silent server does not hold the end up; what was reported is there and sealed."""

    def play(head: bytes) -> bytes:
        if b"/stall" in head:
            return b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nstall"
        return answer(head)

    with playing(play, closes=False) as wire:
        archive = rooted(tmp_path, f"{wire.url}/a", f"{wire.url}/stall")
        call = [sys.executable, "-c", "from provenance.cli import main; main()"]
        call += ["-C", str(archive.root), "fetch", "--json", "--allow-private", "--delay", "0"]
        with subprocess.Popen(call, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            assert json.loads(running.stdout.readline())["outcome"] == "captured"
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=8) == 130
    assert findings(archive) == []
    assert not list(archive.archive.glob("*.open"))
