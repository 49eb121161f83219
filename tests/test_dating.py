"""Checkpoints dated by several, in any order, by way of addresses that may be anybody's."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.errors import ProvenanceError, UsageError
from provenance.log.checkpoint import Checkpoint, format_checkpoint
from provenance.log.folder import LogFolder
from provenance.timestamps.calendars import KeptProof, write_kept
from provenance.timestamps.listed import is_listed
from provenance.timestamps.ots import APPEND, PENDING, Attestation, Branch, Proof, Step, write_proof
from provenance.timestamps.stamps import authority_name
from tests.cli_program import run, small_root
from tests.ots_calendar import answer_to, rest_of
from tests.test_log_calendars import WHOLE, calendar_at
from tests.time_authority import CA, Workshop, serving, workshop
from tests.wire import playing
from tests.witness_rig import desk
from tests.witness_roots import ask, codes, copy_of, signed_root, verified


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Two authorities that have nothing to do with each other."""
    made = workshop(tmp_path_factory.mktemp("authorities"))
    for name in ("one", "two"):
        made.issue(f"{name}-root", extensions=CA)
        made.issue(name, f"{name}-root")
    (made.folder / "both.pem").write_bytes(made.pem("one-root", "two-root"))
    return made


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signed_root(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def root(signed: Path, tmp_path: Path) -> Path:
    return copy_of(signed, tmp_path)


@pytest.fixture
def calendars(tmp_path: Path) -> Iterator[tuple[str, str]]:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with calendar_at(first) as one, calendar_at(second) as two:
        yield one, two


# Any number of them, before and after the checkpoint gets more signatures


def test_a_checkpoint_is_dated_before_and_after_it_is_cosigned(
    root: Path, shop: Workshop, calendars: tuple[str, str], tmp_path: Path
) -> None:
    """Whoever comes later dates the same bytes as whoever came first; nothing is a fault."""
    with serving(shop, "one") as one, serving(shop, "two") as two, desk(tmp_path).serving() as w:
        assert run("log", "timestamp", one, cwd=root).status == 0
        assert run("log", "timestamp", "--ots", calendars[0], cwd=root).status == 0
        assert ask(root, w).status == 0
        ended = run("log", "timestamp", two, cwd=root)
        assert ended.status == 0, ended.err
        ended = run("log", "timestamp", "--ots", calendars[1], cwd=root)
        assert ended.status == 0, ended.err
    for anchors in ("both", "one-root"):
        status, told, summary = verified(root, "--tsa-ca", shop.folder / f"{anchors}.pem")
        assert summary["rungs"]["dated"] == 1
    status, told, summary = verified(root, "--tsa-ca", shop.folder / "both.pem")
    assert (status, codes(told)) == (0, [])
    assert codes(told, "note").count("proof_pending") == 2


def test_a_checkpoint_is_dated_before_and_after_it_is_signed(
    shop: Workshop, tmp_path: Path, signed: Path
) -> None:
    archive = small_root(tmp_path / "root")
    shutil.copy(signed.parent / "operator.key", tmp_path / "operator.key")
    archive.checkpoint(origin="archive.example/operator")
    with serving(shop, "one") as one, serving(shop, "two") as two:
        assert run("log", "timestamp", one, cwd=archive.root).status == 0
        archive.checkpoint(key_file=tmp_path / "operator.key")
        ended = run("log", "timestamp", two, cwd=archive.root)
        assert ended.status == 0, ended.err
    status, told, summary = verified(archive.root, "--tsa-ca", shop.folder / "both.pem")
    assert (status, codes(told)) == (0, [])
    assert summary["rungs"]["dated"] == summary["rungs"]["signed"] == 1


@pytest.mark.parametrize("change", [b"another.example\n3\nAAAA\n", b"signature", b"\xff"])
def test_what_is_none_of_the_log_s_is_not_dated_again(
    root: Path, shop: Workshop, change: bytes
) -> None:
    """Another text, or a signature that the checkpoint has not: nobody is asked to date it."""
    newest = LogFolder(root / "metadata").newest()
    assert newest is not None
    if change == b"signature":
        change = newest[1] + "— other.example ".encode() + base64.b64encode(bytes(68)) + b"\n"
    place = root / "metadata" / "log" / "timestamps" / str(newest[0].size) / "checkpoint"
    place.parent.mkdir(parents=True)
    place.write_bytes(change)
    with playing(b"") as wire:
        for words in ((wire.url,), ("--ots", wire.url)):
            ended = run("log", "timestamp", *words, cwd=root)
            assert ended.status == 2
            assert "another checkpoint of this size has been dated" in ended.err
        assert wire.requests == []


def test_an_authority_that_has_dated_a_checkpoint_is_not_asked_again(
    root: Path, shop: Workshop
) -> None:
    with serving(shop, "one") as one:
        assert run("log", "timestamp", one, cwd=root).status == 0
    ended = run("log", "timestamp", one, cwd=root)  # nobody is there any more
    assert ended.status == 2
    assert "dated this checkpoint already" in ended.err


# One that fails, and what is told of it


@pytest.mark.parametrize("ots", [False, True])
def test_one_that_fails_keeps_no_other_from_being_asked(
    root: Path, shop: Workshop, calendars: tuple[str, str], ots: bool
) -> None:
    """What came is kept, and the status says that one failed."""
    gone = "http://127.0.0.1:9/"
    with serving(shop, "one") as one:
        words = ("--ots", gone, calendars[0]) if ots else (gone, one)
        ended = run("log", "timestamp", "--json", *words, cwd=root)
    assert ended.status == 1
    assert ended.err.count("error: ") == 1
    assert "error: http://127.0.0.1:9/" in ended.err
    (said,) = map(json.loads, ended.out.splitlines())
    assert said["type"] == ("calendar" if ots else "timestamp")
    kept = list((root / "metadata" / "log" / "timestamps").rglob("*.ots" if ots else "*.tsr"))
    assert len(kept) == 1


@pytest.mark.parametrize("words", [(), ("--ots",)])
def test_a_password_in_an_address_is_told_nowhere(root: Path, words: tuple[str, ...]) -> None:
    """Whether the address is one, somebody is there, or the answer is refused; files neither."""
    with playing(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as wire:
        place = wire.url.partition("://")[2]
        for url in (
            f"http://ann:s3cret@{place}/",
            "http://ann:s3cret@127.0.0.1:9/",
            "ftp://ann:s3cret@a.example/",
            "http://ann:s3cret@[/",
            "ann:s3cret@a.example",
            "http://ann:s3cret%40a.example/",
            "http://ann%3As3cret%40a.example/",
            "http://ann:s3cret",
            "http:ann:s3cret",
            "http://ann:x@b:s3cret",
        ):
            ended = run("log", "timestamp", *words, url, cwd=root)
            assert ended.status
            assert "s3cret" not in ended.out + ended.err
        assert len(wire.requests) == 1
        assert b"\r\nAuthorization: Basic " in wire.requests[0]
        ended = run("log", "timestamp", "--upgrade", "--calendar", "http://ann:s3cret", cwd=root)
        assert ended.status == 2 and "s3cret" not in ended.out + ended.err
    for path in (root / "metadata").rglob("*"):
        assert "s3cret" not in path.name
        assert path.is_dir() or b"s3cret" not in path.read_bytes()
    with pytest.raises(UsageError) as refused:
        authority_name("gopher://ann:s3cret@a.example")
    assert "s3cret" not in str(refused.value)


# Addresses that a proof names


def hostile(root: Path, name: str, uris: list[str]) -> None:
    """Keep a proof of the newest checkpoint that names these addresses."""
    newest = LogFolder(root / "metadata").newest()
    assert newest is not None
    digest = hashlib.sha256(newest[1]).digest()
    branches = []
    for number, uri in enumerate(uris):
        step = Step(APPEND, number.to_bytes(2, "big"))
        sized = bytes([len(uri)]) + uri.encode()
        attested = Attestation(tag=PENDING, payload=sized, uri=uri)
        branches.append(Branch((step,), digest + step.argument, attested))
    raw = write_proof(Proof(digest, tuple(branches)))
    kept = KeptProof(
        size=newest[0].size,
        calendar=name,
        digits=hashlib.sha256(raw).hexdigest()[:16],
        checkpoint=newest[1],
        raw=raw,
    )
    write_kept(LogFolder(root / "metadata"), kept)


PENDING_STILL = b"HTTP/1.1 404 No\r\nContent-Length: 7\r\n\r\nPending"


def upgrade(root: Path, *words: str) -> tuple[int, list[dict[str, object]]]:
    ended = run("log", "timestamp", "--upgrade", "--json", *words, cwd=root)
    return ended.status, [json.loads(line) for line in ended.out.splitlines()]


def test_of_the_addresses_in_a_proof_a_few_are_asked(root: Path) -> None:
    """A proof may name a thousand: at most sixteen are asked, and that is said."""
    with playing(PENDING_STILL) as wire:
        name = authority_name(wire.url)
        hostile(root, name, [f"{wire.url}/{number}" for number in range(500)])
        status, (said,) = upgrade(root, "--allow-private")
        assert 1 <= len(wire.requests) <= 16
    assert (status, said["state"]) == (0, "pending")
    assert "484 more" in str(said["said"])


def test_an_address_that_nobody_named_is_not_asked(root: Path) -> None:
    """Only calendars that are listed, the one that the file is named for, and those given."""
    with playing(PENDING_STILL) as wire, playing(PENDING_STILL) as other:
        hostile(root, authority_name(other.url), ["https://evil.example", f"{wire.url}/x"])
        status, (said,) = upgrade(root, "--allow-private")
        assert wire.requests == other.requests == []
        assert (status, said["state"]) == (0, "pending")
        assert "--calendar" in str(said["said"])
        assert "evil.example" in str(said["said"])
        status, (said,) = upgrade(root, "--calendar", f"{wire.url}/x/")
        assert len(wire.requests) == 1
        assert other.requests == []


def test_a_calendar_that_the_user_names_may_be_at_a_private_address(root: Path) -> None:
    """It is the user's own choice; one that a file names alone is not."""

    def play(head: bytes) -> bytes:
        raw = answer_to(b"", wire.url) if head.startswith(b"POST") else rest_of(5)
        return WHOLE % (len(raw), raw)

    with playing(play) as wire:
        assert run("log", "timestamp", "--ots", wire.url, cwd=root).status == 0
        status, (said,) = upgrade(root)
        assert (status, said["state"]) == (1, "unanswered")
        assert "private_address" in str(said["said"])
        status, (said,) = upgrade(root, "--calendar", wire.url)
        assert (status, said["state"]) == (0, "in_block")


def test_an_address_that_fails_keeps_no_other_from_being_asked(root: Path) -> None:
    """Nor is it asked again and again: what it cost once is enough."""

    def play(_head: bytes) -> bytes:
        raw = rest_of(5)
        return WHOLE % (len(raw), raw)

    with playing(play) as wire, playing(lambda _head: None) as silent:
        hostile(root, "a.example", [silent.url, f"{silent.url}/x", wire.url])
        given = [f"{silent.url}", f"{silent.url}/x", wire.url]
        words = [word for each in given for word in ("--calendar", each)]
        status, (said,) = upgrade(root, *words)
        assert len(silent.requests) == 1
        assert len(wire.requests) == 1
    assert (status, said["state"]) == (0, "in_block")
    assert "no answer came" in str(said["said"])


@pytest.mark.parametrize(
    ("uri", "listed"),
    [
        ("https://alice.btc.calendar.opentimestamps.org", True),
        ("https://alice.btc.calendar.opentimestamps.org/", True),
        ("https://finney.calendar.eternitywall.com", True),
        ("https://btc.calendar.catallaxy.com", True),
        ("http://alice.btc.calendar.opentimestamps.org", False),
        ("https://alice.btc.calendar.opentimestamps.org/x", False),
        ("https://alice.btc.calendar.opentimestamps.org:8443", False),
        ("https://calendar.opentimestamps.org.evil.example", False),
        ("https://evilcalendar.opentimestamps.org", False),
        ("https://evil.example/.calendar.opentimestamps.org", False),
        ("https://asked.example", True),
        ("http://asked.example/x", True),
        ("https://asked.example:8443", False),
        ("https://a-asked.example", False),
        ("http://named.example/path", True),
        ("http://named.example/path/", True),
        ("http://named.example/", False),
        ("https://named.example/path", False),
        ("ftp://asked.example", False),
        ("", False),
        ("//[", False),
    ],
)
def test_which_calendars_are_asked(uri: str, listed: bool) -> None:
    """Source: python-opentimestamps 0.4.5, `DEFAULT_CALENDAR_WHITELIST`."""
    assert is_listed(uri, asked="asked.example", named=["http://named.example/path/"]) is listed


def test_what_names_no_address_is_told_before_anything_is_asked(root: Path) -> None:
    ended = run("log", "timestamp", "--upgrade", "--calendar", "nowhere", cwd=root)
    assert ended.status == 2
    ended = run("log", "timestamp", "--calendar", "http://a.example", "http://b.example", cwd=root)
    assert ended.status == 2
    assert "--upgrade" in ended.err


def test_the_library_asks_as_the_command_does(root: Path) -> None:
    with pytest.raises(ProvenanceError):
        Archive(root).timestamp("http://127.0.0.1:9/")
    assert list(Archive(root).complete_promises(calendars=["http://127.0.0.1:9"])) == []


# What a slow or a hostile one may not do to the archive


@pytest.mark.parametrize("words", [(), ("--ots",), ("--upgrade", "--allow-private")])
def test_the_archive_is_not_held_while_somebody_is_asked(
    root: Path, shop: Workshop, words: tuple[str, ...]
) -> None:
    """A run may end meanwhile: whoever is asked can take the archive's lock."""
    free: list[bool] = []

    def play(head: bytes) -> bytes:
        with (root / "metadata" / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                free.append(True)
            except BlockingIOError:
                free.append(False)
        raw = answer_to(b"", wire.url) if head.startswith(b"POST") else rest_of(5)
        return WHOLE % (len(raw), raw)

    with playing(play) as wire:
        if "--upgrade" in words:
            assert run("log", "timestamp", "--ots", wire.url, cwd=root).status == 0
            assert run("log", "timestamp", *words, cwd=root).status == 0
        else:
            run("log", "timestamp", *words, wire.url, cwd=root)
    assert free
    assert all(free)


def test_a_checkpoint_that_is_none_of_its_tiles_is_not_dated(root: Path) -> None:
    """Nothing could come of it: a time-stamp is never overwritten."""
    folder = LogFolder(root / "metadata")
    newest = folder.newest()
    assert newest is not None
    other = Checkpoint(origin=newest[0].origin, size=newest[0].size, root=bytes(32))
    folder.publish(other.size, format_checkpoint(other).encode())
    with playing(b"") as wire:
        for words in ((wire.url,), ("--ots", wire.url)):
            ended = run("log", "timestamp", *words, cwd=root)
            assert ended.status == 4
            assert "tiles of the log" in ended.err
        assert wire.requests == []
    assert not (root / "metadata" / "log" / "timestamps").exists()


def test_an_answer_that_makes_a_proof_too_large_keeps_no_other_from_being_completed(
    root: Path,
) -> None:
    """Sixteen answers of ten thousand bytes are more than a proof may have."""
    filler = b"\x00" + b"\x01" * 8 + b"\x80\x3f" + bytes(8064)

    with (
        playing(WHOLE % (len(filler) + 1 + len(rest_of(5)), b"\xff" + filler + rest_of(5))) as wire,
        playing(WHOLE % (len(rest_of(5)), rest_of(5))) as good,
    ):
        hostile(root, authority_name(wire.url), [f"{wire.url}/{number}" for number in range(16)])
        hostile(root, authority_name(good.url), [good.url])
        status, told = upgrade(root, "--allow-private")
    assert status == 0
    assert [each["state"] for each in told] == ["in_block"] * 2
    said = {each["calendar"]: str(each["said"]) for each in told}
    assert "the proof with the answer of" in said[authority_name(wire.url)]
    assert verified(root)[0] == 0


@pytest.mark.parametrize("ots", [False, True])
def test_a_signature_that_is_taken_off_a_dated_checkpoint_is_a_finding(
    root: Path, shop: Workshop, calendars: tuple[str, str], ots: bool
) -> None:
    """Whoever dated it: the bytes that are kept with the date tell."""
    with serving(shop, "one") as one:
        words = ("--ots", calendars[0]) if ots else (one,)
        assert run("log", "timestamp", *words, cwd=root).status == 0
    folder = LogFolder(root / "metadata")
    newest = folder.newest()
    assert newest is not None
    folder.publish(newest[0].size, format_checkpoint(newest[0]).encode())
    (root / "metadata" / "log" / "operator.pub").unlink()
    status, told, _ = verified(root)
    assert (status, codes(told)) == (4, ["checkpoint_disagrees"])
