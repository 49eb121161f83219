"""Who dated a checkpoint, and when, is said; a stranger's word beside a trusted one is no fault."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.log.folder import LogFolder
from provenance.timestamps.stamps import read_stamps
from provenance.verify import Finding, Note, Report
from tests.cli_program import run
from tests.ots_calendar import answer_to, rest_of
from tests.test_log_calendars import WHOLE
from tests.time_authority import CA, Workshop, serving, workshop
from tests.wire import playing
from tests.witness_roots import codes, copy_of, grow, signed_root, verified


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    made = workshop(tmp_path_factory.mktemp("authorities"))
    for name in ("one", "two"):
        made.issue(f"{name}-root", extensions=CA)
        made.issue(name, f"{name}-root", subject=f"Authority {name}")
    (made.folder / "both.pem").write_bytes(made.pem("one-root", "two-root"))
    return made


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory, shop: Workshop) -> Path:
    """Make one root whose checkpoint two authorities have dated; nobody changes it."""
    root = signed_root(tmp_path_factory.mktemp("twice"))
    with serving(shop, "one") as one, serving(shop, "two") as two:
        assert run("log", "timestamp", one, two, cwd=root).status == 0
    return root


@pytest.fixture
def root(twice: Path, tmp_path: Path) -> Path:
    return copy_of(twice, tmp_path)


def stamp_by(root: Path, name: str) -> Path:
    """Return the answer of the authority of this name."""
    paths = (root / "metadata" / "log" / "timestamps").rglob("*.tsr")
    return next(path for path in paths if f"Authority {name}".encode() in path.read_bytes())


def times(root: Path) -> dict[str, str]:
    """Return what `log timestamp` would say of each authority."""
    from provenance.dates import format_instant
    from provenance.timestamps.stamps import check_stamp

    kept = [check_stamp(each) for each in read_stamps(LogFolder(root / "metadata"))]
    return {each.signer: format_instant(each.gen_time) for each in kept}


def test_who_dated_and_when_is_said_to_people(root: Path, shop: Workshop) -> None:
    """Of all, a line for each; of one capture the earliest that covers it."""
    at = times(root)
    both = shop.folder / "both.pem"
    words = run("verify", "--tsa-ca", both, cwd=root).out
    (size,) = LogFolder(root / "metadata").sizes()
    for signer, time in at.items():
        assert f"dated: {time} by {signer}, over {size} leaves\n" in words
    assert set(at) == {"CN=Authority one", "CN=Authority two"}
    words = run("verify", "letter", "--tsa-ca", both, cwd=root).out
    earliest = min(at.values())
    assert f"\n  dated: {earliest} by CN=Authority " in words
    assert "dated: " not in run("verify", cwd=root).out


def test_who_dated_and_when_stands_in_the_objects(root: Path, shop: Workshop) -> None:
    at = times(root)
    both = shop.folder / "both.pem"
    _, _, summary = verified(root, "--tsa-ca", both)
    dates = summary["dates"]
    assert {each["by"]: each["dated_at"] for each in dates} == at
    assert {each["way"] for each in dates} == {"rfc3161"}
    size = summary["log"]["size"]
    assert {each["size"] for each in dates} == {size}
    _, told, summary = verified(root, "letter", "--tsa-ca", both)
    (capture,) = [each for each in told if each["type"] == "capture"]
    assert capture["dated_at"] == min(at.values())
    assert capture["dated_by"] in at
    assert {each["by"] for each in summary["dates"]} == set(at)
    _, told, summary = verified(root, "letter")
    (capture,) = [each for each in told if each["type"] == "capture"]
    assert (capture["dated_at"], capture["dated_by"], summary["dates"]) == (None, None, [])


def test_a_capture_has_the_date_of_a_checkpoint_that_covers_it(root: Path, shop: Workshop) -> None:
    """Not that of an earlier one, which says nothing of it."""
    grow(root, "Minutes.\n")
    Archive(root).index()
    _, told, summary = verified(root, "minutes", "--tsa-ca", shop.folder / "both.pem")
    (capture,) = [each for each in told if each["type"] == "capture"]
    assert (capture["dated_at"], capture["dated_by"], summary["dates"]) == (None, None, [])
    with serving(shop, "one") as one:
        assert run("log", "timestamp", one, cwd=root).status == 0
    _, told, _ = verified(root, "minutes", "letter", "--tsa-ca", shop.folder / "both.pem")
    late, early = [each for each in told if each["type"] == "capture"]
    assert late["dated_at"] >= early["dated_at"]
    assert late["dated_by"] == "CN=Authority one"


# Whom nobody trusts


@pytest.mark.parametrize("targets", [(), ("letter",)])
def test_a_stranger_beside_a_trusted_authority_is_a_note(
    root: Path, shop: Workshop, targets: tuple[str, ...]
) -> None:
    """An archive does not get worse by a token more that holds; whose it is, is said."""
    status, told, summary = verified(root, *targets, "--tsa-ca", shop.folder / "one-root.pem")
    assert (status, codes(told)) == (0, [])
    assert codes(told, "note").count("stamp_untrusted") == 1
    (said,) = [each for each in told if each.get("code") == "stamp_untrusted"]
    assert "CN=Authority two" in said["found"]
    assert summary["rungs"]["dated"] == 1
    assert {each["by"] for each in summary["dates"]} == {"CN=Authority one"}


@pytest.mark.parametrize("targets", [(), ("letter",)])
def test_a_stranger_alone_is_a_finding(
    root: Path, shop: Workshop, targets: tuple[str, ...]
) -> None:
    """Somebody was trusted to date, and did not."""
    gone = stamp_by(root, "one")
    for suffix in (".tsr", ".tsq", ".pem"):
        gone.with_suffix(suffix).unlink()
    status, told, summary = verified(root, *targets, "--tsa-ca", shop.folder / "one-root.pem")
    assert (status, codes(told)) == (4, ["stamp_refused"])
    assert (summary["rungs"]["dated"], summary["dates"]) == (0, [])


@pytest.mark.parametrize("suffix", [".tsr", ".tsq", ".pem"])
@pytest.mark.parametrize("of", ["one", "two"])
def test_a_token_that_was_changed_is_a_finding_whoever_else_dates(
    root: Path, shop: Workshop, of: str, suffix: str
) -> None:
    """Trusted or not; and the other one still dates, where it is trusted."""
    path = stamp_by(root, of).with_suffix(suffix)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    for anchors, by in (("one-root", {"one"}), ("both", {"one", "two"})):
        status, told, summary = verified(root, "--tsa-ca", shop.folder / f"{anchors}.pem")
        assert status == 4
        assert "stamp_refused" in codes(told)
        expected = {f"CN=Authority {name}" for name in by - {of}}
        assert {each["by"] for each in summary["dates"]} == expected


@pytest.mark.parametrize("suffix", [".tsq", ".pem"])
def test_a_missing_file_of_one_keeps_no_other_from_counting(
    root: Path, shop: Workshop, suffix: str
) -> None:
    """One finding, which names it; whichever of the two comes first."""
    for of, other in (("one", "two"), ("two", "one")):
        path = stamp_by(root, of).with_suffix(suffix)
        raw = path.read_bytes()
        path.unlink()
        status, told, summary = verified(root, "--tsa-ca", shop.folder / "both.pem")
        assert (status, codes(told)) == (4, ["stamp_refused"])
        assert path.name in json.dumps(told)
        assert {each["by"] for each in summary["dates"]} == {f"CN=Authority {other}"}
        path.write_bytes(raw)


def test_a_damaged_promise_keeps_no_other_from_being_completed(root: Path, tmp_path: Path) -> None:
    """The others are asked and kept; the damaged one is an error that names it."""

    def play(head: bytes) -> bytes:
        raw = answer_to(b"", url) if head.startswith(b"POST") else rest_of(5)
        return WHOLE % (len(raw), raw)

    with playing(play) as first, playing(play) as second:
        for wire in (first, second):
            url = wire.url
            assert run("log", "timestamp", "--ots", url, cwd=root).status == 0
        for wire, other in ((first, second), (second, first)):
            copy = Path(shutil.copytree(root, tmp_path / f"copy-{wire.port}"))
            (path,) = (copy / "metadata" / "log").rglob(f"127.0.0.1-{wire.port}.*.ots")
            path.write_bytes(path.read_bytes()[:-1])
            ended = run("log", "timestamp", "--upgrade", "--allow-private", "--json", cwd=copy)
            assert ended.status == 1
            assert path.name in ended.err
            (said,) = map(json.loads, ended.out.splitlines())
            assert said["calendar"] == f"127.0.0.1-{other.port}"
            assert said["state"] == "in_block"
            findings: list[Finding] = []
            notes: list[Note] = []
            report = Archive(copy).verify(on_finding=findings.append, on_note=notes.append)
            assert isinstance(report, Report)
            assert [each.code for each in findings] == ["stamp_refused"]
            assert "proof_unchecked" in {each.code for each in notes}


def test_a_token_under_a_second_name_is_a_finding(root: Path, shop: Workshop) -> None:
    """Two authorities are not made of one by its files, copied over another's."""
    one, two = stamp_by(root, "one"), stamp_by(root, "two")
    for suffix in ("tsq", "pem", "tsr"):
        shutil.copy(one.with_suffix(f".{suffix}"), two.with_suffix(f".{suffix}"))
    status, told, summary = verified(root, "--tsa-ca", shop.folder / "both.pem")
    assert status == 4
    (fault,) = (each for each in told if each["type"] == "finding")
    assert fault["code"] == "stamp_refused"
    assert fault["expected"] == "bytes of its own"
    assert fault["found"].endswith(".tsr")
    assert len(summary["dates"]) == 1
