"""Time-stamps as they are kept: asked over HTTP, laid out in files, read back, checked by hand."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance.errors import StorageError, UsageError
from provenance.log.folder import LogFolder
from provenance.timestamps.refusals import Reason, TimestampError
from provenance.timestamps.stamps import (
    Stamp,
    authority_name,
    check_stamp,
    read_stamps,
    request_stamp,
    write_stamp,
)
from provenance.timestamps.timestamp import certificates_of, make_request
from provenance.timestamps.trusted import Anchors, format_pem, parse_anchors
from tests.time_authority import CA, Workshop, post, serving, tst_info, workshop

DOCS = Path(__file__).parents[1] / "docs"
CHECKPOINT = b"archive.example/log\n12\nX1vVdgDbSbt3OAJcDb0y8GXMVYF3wGyXT6AVFXMMbg8=\n"
NONCE = 0xF00D_0000_0000_0001


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """An authority with an intermediate: tsa below mid below root."""
    made = workshop(tmp_path_factory.mktemp("authority"))
    made.issue("root", extensions=CA)
    made.issue("mid", "root", extensions=CA)
    made.issue("tsa", "mid")
    return made


@pytest.fixture(scope="module")
def root(shop: Workshop) -> Anchors:
    return parse_anchors(shop.pem("root"), where="root.pem")


def test_the_whole_way_over_http(shop: Workshop, root: Anchors, tmp_path: Path) -> None:
    """Asked on loopback, kept, read back and checked; `openssl ts -verify` accepts the files."""
    with serving(shop, "tsa", "mid") as url:
        stamp, proved = request_stamp(
            CHECKPOINT,
            size=12,
            url=url,
            nonce=NONCE,
            now=datetime.now(UTC),
            post=post,
            anchors=root,
        )
    write_stamp(LogFolder(tmp_path), stamp)
    folder = tmp_path / "log/timestamps/12"
    stem = authority_name(url)
    assert stem.startswith("127.0.0.1-")
    assert sorted(each.name for each in folder.iterdir()) == sorted(
        ["checkpoint", f"{stem}.pem", f"{stem}.tsq", f"{stem}.tsr"]
    )
    assert (folder / f"{stem}.pem").read_bytes() == shop.pem("tsa", "mid")
    (kept,) = read_stamps(LogFolder(tmp_path))
    assert kept == stamp
    assert check_stamp(kept, anchors=root) == proved
    for data in (("-data", "checkpoint"), ("-queryfile", f"{stem}.tsq")):
        done = subprocess.run(
            ["openssl", "ts", "-verify", *data, "-in", f"{stem}.tsr", "-untrusted", f"{stem}.pem",
             "-CAfile", shop.folder / "root.pem"],
            cwd=folder, capture_output=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.stdout == b"Verification: OK\n", done.stderr


def test_an_answer_that_would_be_refused_is_not_kept(shop: Workshop, root: Anchors) -> None:
    """An authority that answers something else, or an error page, gives no time-stamp."""
    for wrong in (
        shop.reply(make_request(CHECKPOINT, nonce=NONCE + 1), "tsa", "mid"),
        b"<html>busy</html>",
    ):
        with pytest.raises(TimestampError):
            request_stamp(
                CHECKPOINT,
                size=12,
                url="https://tsa.example/",
                nonce=NONCE,
                now=datetime.now(UTC),
                post=lambda url, body, wrong=wrong: wrong,  # type: ignore[misc]
                anchors=root,
            )


@pytest.mark.parametrize("minutes", [-11, 11])
def test_an_authority_with_another_clock_is_refused(shop: Workshop, minutes: int) -> None:
    """A token is made after its request: an earlier time is a wrong one, and so is a far later."""
    now = datetime.now(UTC)
    imprint = hashlib.sha256(CHECKPOINT).digest()
    moment = now + timedelta(minutes=minutes)
    response = shop.sign(tst_info(imprint, gen_time=moment, nonce=NONCE), "tsa", "mid")
    with pytest.raises(TimestampError, match="clocks of the authority") as caught:
        request_stamp(
            CHECKPOINT,
            size=12,
            url="https://tsa.example/",
            nonce=NONCE,
            now=now,
            post=lambda url, body: response,
        )
    assert caught.value.reason is Reason.WRONG_TIME


def made_stamp(shop: Workshop, **changes: object) -> Stamp:
    request = make_request(CHECKPOINT, nonce=NONCE)
    response = shop.reply(request, "tsa", "mid")
    stamp = Stamp(
        size=12,
        authority="tsa.example",
        checkpoint=CHECKPOINT,
        request=request,
        response=response,
        certificates=format_pem(certificates_of(response)),
    )
    return dataclasses.replace(stamp, **changes)  # type: ignore[arg-type]


def test_a_time_stamp_is_never_overwritten(shop: Workshop, tmp_path: Path) -> None:
    """One per authority and checkpoint; another checkpoint of the same size is refused."""
    log = LogFolder(tmp_path)
    stamp = made_stamp(shop)
    write_stamp(log, stamp)
    with pytest.raises(UsageError, match="dated this checkpoint already"):
        write_stamp(log, made_stamp(shop))
    with pytest.raises(UsageError, match="another checkpoint of this size"):
        write_stamp(log, made_stamp(shop, authority="b.example", checkpoint=b"other"))
    write_stamp(log, made_stamp(shop, authority="b.example", response=stamp.response))
    write_stamp(log, made_stamp(shop, size=9, checkpoint=b"smaller"))
    assert [(each.size, each.authority) for each in read_stamps(log)] == [
        (9, "tsa.example"),
        (12, "b.example"),
        (12, "tsa.example"),
    ]


def test_an_interrupted_request_counts_as_none(shop: Workshop, tmp_path: Path) -> None:
    """Without the `.tsr` nothing is there, and asking again goes through."""
    stamp = made_stamp(shop)
    for name, raw in stamp.files()[:-1]:
        (tmp_path / "log" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "log" / name).write_bytes(raw[:-1] if name.endswith(".pem") else raw)
    assert list(read_stamps(LogFolder(tmp_path))) == []
    write_stamp(LogFolder(tmp_path), stamp)
    assert list(read_stamps(LogFolder(tmp_path))) == [stamp]


def test_a_missing_file_is_told(shop: Workshop, tmp_path: Path) -> None:
    write_stamp(LogFolder(tmp_path), made_stamp(shop))
    for make in (Path.unlink, Path.mkdir):
        make(tmp_path / "log/timestamps/12/tsa.example.tsq")
        with pytest.raises(StorageError, match=r"tsa\.example\.tsq"):
            list(read_stamps(LogFolder(tmp_path)))


def test_every_byte_kept_is_held(shop: Workshop) -> None:
    """A flipped bit anywhere in the four files is refused, though nobody is trusted."""
    stamp = made_stamp(shop)
    passed = []
    for name in ("checkpoint", "request", "response", "certificates"):
        raw = getattr(stamp, name)
        for at in range(len(raw)):
            flipped = raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :]
            try:
                check_stamp(dataclasses.replace(stamp, **{name: flipped}))
            except TimestampError:
                continue
            passed.append((name, at))
    # The status: granted with modifications is granted.
    assert passed == [("response", 8)]


def test_each_kept_file_is_held(shop: Workshop, root: Anchors) -> None:
    """A changed checkpoint, request, response or certificate is a refusal, never a traceback."""
    stamp = made_stamp(shop)
    assert check_stamp(stamp, anchors=root)
    for damaged in (
        dataclasses.replace(stamp, checkpoint=CHECKPOINT[:-1]),
        dataclasses.replace(stamp, request=make_request(CHECKPOINT, nonce=1)),
        dataclasses.replace(stamp, response=stamp.response[:-1] + bytes([stamp.response[-1] ^ 1])),
        dataclasses.replace(stamp, certificates=stamp.certificates.replace(b"M", b"!", 1)),
    ):
        with pytest.raises(TimestampError):
            check_stamp(damaged, anchors=root)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://timestamp.example/", "timestamp.example"),
        ("https://TSA.example:3318/a?b", "tsa.example-3318"),
        ("http://[::1]:80/", "1-80"),
        ("http://user:word@tsa.example/", "tsa.example"),
    ],
)
def test_an_authority_is_named_by_its_host(url: str, name: str) -> None:
    assert authority_name(url) == name


@pytest.mark.parametrize("url", ["", "tsa.example", "ftp://tsa.example", "http://", "http://[x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="address of a time-stamping authority"):
        authority_name(url)


def by_hand(folder: Path, authority: str, anchors: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of docs/timestamps.md, which end at the first that fails."""
    page = (DOCS / "timestamps.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    script = "\n".join([f"authority={authority} anchors={anchors}", *blocks])
    return subprocess.run(
        [
            "bash",
            "-eu",
            "-o",
            "pipefail",
            "-c",
            f"authority={authority} anchors={anchors}\n{script}",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("expired", [False, True])
def test_the_page_shows_how_to_check_by_hand(
    shop: Workshop, root: Anchors, tmp_path: Path, expired: bool
) -> None:
    """Its commands accept what the program accepts, also long after, and refuse what it refuses."""
    stamp, anchors = made_stamp(shop), shop.folder / "root.pem"
    if expired:
        shop.issue("old-root", extensions=CA, end="20170101000000Z")
        shop.issue("old-tsa", "old-root", end="20170101000000Z")
        then = datetime(2016, 3, 1, 12, tzinfo=UTC)
        imprint = hashlib.sha256(CHECKPOINT).digest()
        response = shop.sign(tst_info(imprint, gen_time=then, nonce=NONCE), "old-tsa")
        anchors = shop.folder / "old-root.pem"
        stamp = dataclasses.replace(
            stamp, response=response, certificates=format_pem(certificates_of(response))
        )
    trusted = parse_anchors(anchors.read_bytes(), where="anchors")
    proved = check_stamp(stamp, anchors=trusted)
    write_stamp(LogFolder(tmp_path), stamp)
    folder = tmp_path / "log/timestamps/12"
    done = by_hand(folder, stamp.authority, anchors)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Verification: OK") == 3
    assert proved.chain[0].removeprefix("sha256:") in done.stdout
    assert proved.imprint in done.stdout
    (folder / "checkpoint").write_bytes(CHECKPOINT[:-1])
    done = by_hand(folder, stamp.authority, anchors)
    assert done.returncode != 0
    assert "Verification: FAILED" in done.stdout + done.stderr
