"""The rungs of single captures: `verify ID` and `verify` of the whole archive say the same.

Source: DESIGN §6; docs/verifying.md.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.checkpointing import add_checkpoint
from provenance.demo.run import run_demo
from provenance.digest import Digest
from provenance.errors import UnknownIdError, UsageError
from provenance.log.checkpoint import parse_checkpoint, text_of
from provenance.rungs.trust import Trust
from provenance.runtime import system_runtime
from provenance.verify import CaptureVerdict, Finding, Note, Report, verify_archive
from provenance.verify.inclusion import LogAudit, Logged, PlaceOf, Seal
from provenance.verify.manifest import MANIFEST
from provenance.verify.single import LeafAt
from provenance.whole.leaves import leaf_hash
from tests.cli_program import run, small_root
from tests.tamper_battery import BATTERY, Entry, kept_sizes
from tests.tamper_rig import copied, sealed_archive, small_archive
from tests.test_checkpointing import add_another, leaves_of
from tests.test_log_ots import BLOCK_358391
from tests.warc_builders import Root, make_root, write_capture

ABOVE = {"sealed", "dated", "signed"}


@dataclass
class Said:
    """What verifying targets, or the whole archive, told."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    verdicts: list[CaptureVerdict] = field(default_factory=list)
    report: Report | None = None

    @property
    def rungs(self) -> dict[str, set[str]]:
        """The rungs of each capture; of one that stands there twice, those of either."""
        found: dict[str, set[str]] = {}
        for each in self.verdicts:
            found.setdefault(each.capture_id, set()).update(each.rungs)
        return found

    @property
    def codes(self) -> set[str]:
        return {each.code for each in self.findings}


def of_all(root: Path, **more: object) -> Said:
    told = Said()
    told.report = verify_archive(
        root,
        on_finding=told.findings.append,
        on_note=told.notes.append,
        on_capture=told.verdicts.append,
        jobs=1,
        **more,  # type: ignore[arg-type]
    )
    return told


def of_one(root: Path, *targets: str, **more: object) -> Said:
    told = Said()
    told.report = Archive(root).verify(
        targets,
        on_finding=told.findings.append,
        on_note=told.notes.append,
        on_capture=told.verdicts.append,
        jobs=1,
        **more,  # type: ignore[arg-type]
    )
    return told


def each_known(root: Path, captures: Sequence[str]) -> Iterator[tuple[str, Said]]:
    """Verify captures one by one, those that the index has."""
    for capture_id in captures:
        try:
            yield capture_id, of_one(root, capture_id)
        except UnknownIdError:
            continue


# The battery


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one archive of three runs, two of them in the log; nobody changes it."""
    paths = ("/page", "/moved", "/gone", "/news")
    return sealed_archive(tmp_path_factory.mktemp("kept"), *paths).root


UNSEEN = ("captures reordered",)
"""What is a matter of the whole file, and takes no rung from a capture that is asked for."""


@pytest.mark.parametrize("entry", BATTERY, ids=lambda each: each.name)
def test_one_by_one_the_rungs_are_those_of_the_whole_archive(
    kept: Path, tmp_path: Path, entry: Entry
) -> None:
    """Whatever was done; and a rung that the log refuses comes with a reason."""
    with copied(kept, tmp_path) as scene:
        entry.tamper(scene)
        Archive(scene.root).index(text=False)
        whole = of_all(scene.root).rungs
        singles = dict(each_known(scene.root, list(whole)))
    assert len(singles) >= len(whole) - 1
    for capture_id, told in singles.items():
        found = told.rungs[capture_id]
        assert "whole" not in whole[capture_id] or "whole" in found
        if entry.done in UNSEEN:
            assert found == {"whole", "sealed"} or told.notes
        else:
            assert found & ABOVE == whole[capture_id] & ABOVE
        if "sealed" not in found:
            assert told.findings or {each.code for each in told.notes} == {"not_in_log"}


@pytest.mark.parametrize("entry", BATTERY, ids=lambda each: each.name)
def test_an_index_from_before_gives_no_capture_a_rung(
    kept: Path, tmp_path: Path, entry: Entry
) -> None:
    """It says where records were: what is there now is judged; rungs are fewer, never more."""
    with copied(kept, tmp_path) as scene:
        Archive(scene.root).index(text=False)
        entry.tamper(scene)
        whole = of_all(scene.root).rungs
        singles = dict(each_known(scene.root, list(whole)))
    for capture_id, told in singles.items():
        missing = whole[capture_id] - told.rungs[capture_id]
        assert told.rungs[capture_id] & ABOVE <= whole[capture_id]
        assert not missing or told.findings


@pytest.mark.parametrize("kind", ["tile", "checkpoint", "manifest"])
def test_any_byte_of_the_log_that_is_another_is_told_of_one_capture_as_of_all(
    tmp_path: Path, kind: str
) -> None:
    """Of each file of a small log, every seventh byte and the last; nothing is missed by either."""
    root = small_archive(tmp_path).root
    Archive(root).index(text=False)
    captures = list(of_all(root).rungs)
    assert of_one(root, *captures).rungs == {each: {"whole", "sealed"} for each in captures}
    for path in sorted((root / "metadata").rglob("*")):
        if not path.is_file() or kind not in path.relative_to(root / "metadata").as_posix():
            continue
        raw = path.read_bytes()
        for at in {*range(0, len(raw), 7), len(raw) - 1}:
            path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
            whole, told = of_all(root), of_one(root, *captures)
            assert told.rungs == whole.rungs, (path.name, at)
            if kind != "manifest":
                assert whole.findings and told.findings, (path.name, at)
        path.write_bytes(raw)


def test_what_is_changed_takes_the_rung_from_no_other_capture(kept: Path, tmp_path: Path) -> None:
    """Of nine captures one is edited, and one not in the log yet: seven are sealed."""
    (entry,) = (each for each in BATTERY if each.name == "the-request-record-edited-the-manifest")
    with copied(kept, tmp_path) as scene:
        entry.tamper(scene)
        report = of_all(scene.root).report
    assert report is not None
    assert (report.captures, report.rungs.sealed) == (9, 7)


def test_a_log_that_later_files_contradict_seals_nothing_that_they_had_seen(
    kept: Path, tmp_path: Path
) -> None:
    """Rolled back, or made anew: what was covered then is not sealed by what there is now."""
    names = ("the-log-rolled-back-to-its-first-checkpoint-nothing", "the-log-deleted-nothing")
    for entry in (each for each in BATTERY if each.name in names):
        with copied(kept, tmp_path) as scene:
            entry.tamper(scene)
            assert [each for each in of_all(scene.root).rungs.values() if each & ABOVE] == []


# The demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "root"
    run_demo(root)
    return root


def test_every_capture_of_the_demo_stands_where_the_whole_archive_has_it(demo: Path) -> None:
    """All of them in one call: revisits, failures, and a file that was added."""
    whole = of_all(demo)
    told = of_one(demo, *whole.rungs)
    assert told.rungs == whole.rungs
    assert {frozenset(each) for each in told.rungs.values()} == {frozenset({"whole", "sealed"})}
    assert told.findings == [] and told.report is not None and whole.report is not None
    assert told.report.rungs == whole.report.rungs
    assert told.report.asked_of_log == told.report.captures == whole.report.asked_of_log
    assert told.report.log == whole.report.log


@pytest.mark.parametrize("how", ["no log", "a later run"])
def test_what_no_checkpoint_covers_is_not_sealed_and_that_is_no_fault(
    tmp_path: Path, how: str
) -> None:
    """Before the first checkpoint, and after the last one."""
    root = small_root(tmp_path / "root").root
    if how == "a later run":
        assert run("log", "checkpoint", cwd=root).status == 0
        add_another(root)
        assert run("index", cwd=root).status == 0
    told = of_one(root, "minutes" if how == "a later run" else "letter")
    assert [each.rungs for each in told.verdicts] == [("whole",)]
    assert told.findings == []
    assert [each.code for each in told.notes] == (["not_in_log"] if how == "a later run" else [])
    assert of_all(root).rungs[told.verdicts[0].capture_id] == {"whole"}


# A checkpoint that was kept elsewhere


def test_a_checkpoint_kept_elsewhere_is_held_against_the_log_for_one_capture(
    kept: Path, tmp_path: Path
) -> None:
    """One that covers it, an older one, and what is none of this log's."""
    with copied(kept, tmp_path) as scene:
        archive = Archive(scene.root)
        archive.index(text=False)
        verdict = next(each for each in of_all(scene.root).verdicts if each.warc == scene.files[1])
        first, second = kept_sizes(scene)
        apart = tmp_path / "apart"
        for size in (first, second):
            shutil.copy(scene.log / f"checkpoints/{size}", apart)
            told = of_one(scene.root, verdict.capture_id, checkpoints=[apart])
            assert (told.findings, told.verdicts[0].rungs) == ([], ("whole", "sealed"))
            older = [each for each in told.notes if each.code == "checkpoint_older"]
            if size == first:  # it says nothing of a capture that was sealed after it
                (note,) = older
                assert (note.field, note.found) == (str(apart), f"{first} leaves")
                assert str(verdict.capture_id) in str(note.expected)
            else:
                assert older == []
        origin, _, root = apart.read_text().splitlines()
        for size in (second, second + 1):
            apart.write_text(f"{origin}\n{size}\n{'A' * 43}=\n")
            told = of_one(scene.root, verdict.capture_id, checkpoints=[apart])
            assert (told.codes, told.verdicts[0].rungs) == ({"log_rolled_back"}, ("whole",))
        apart.write_text(f"elsewhere\n{second}\n{root}\n")
        assert of_one(scene.root, verdict.capture_id, checkpoints=[apart]).codes == {
            "log_rolled_back"
        }
        apart.write_text(f"{origin}\n{first}\n{'A' * 43}=\n")  # it was made before the capture
        told = of_one(scene.root, verdict.capture_id, checkpoints=[apart])
        assert told.codes == of_all(scene.root, checkpoints=[apart]).codes == {"log_rolled_back"}


def test_what_the_log_says_is_for_captures_of_the_archive(demo: Path, tmp_path: Path) -> None:
    """A WARC file by itself has no log; nothing that was given is passed over in silence."""
    path = next((demo / "archive").glob("*.gz"))
    newest = demo / "metadata" / "log" / "checkpoint"
    for more in (("--checkpoint", newest), ("--key", "a+00000000+AAAA")):
        assert run("verify", path, *more, cwd=demo).status == 2
    for given in (("--checkpoint", newest), ("--bitcoin-header", BLOCK_358391.hex())):
        said = run("verify", path, *given, cwd=demo).err
        for option in ("--checkpoint", "--tsa-ca", "--bitcoin-header", "--key", "--witness-key"):
            assert option in said
    with pytest.raises(UsageError, match="for the archive and its captures"):
        of_one(demo, str(path), checkpoints=[newest])
    told = of_one(demo, str(path))
    assert told.report is not None and (told.report.asked_of_log, told.report.log) == (0, None)
    assert {each.rungs for each in told.verdicts} == {("whole",)}


# The words


def test_the_command_says_which_checkpoint_it_went_by(demo: Path) -> None:
    """Origin, size and root; what was not looked at; what is not proved."""
    ended = run("verify", "audit-report", cwd=demo)
    origin, size, root = (demo / "metadata/log/checkpoint").read_text().splitlines()[:3]
    assert ended.status == 0
    assert ": whole, sealed\n" in ended.out
    assert f"  checkpoint {origin}, {size} leaves,\n             root {root}\n" in ended.out
    assert (
        f"  sealed     1 of 1 captures: not changed since the checkpoint over {size}" in ended.out
    )
    for rung in ("dated", "signed"):
        assert f"  {rung:<10} 0 of 1 captures: " in ended.out
    assert "Not looked at: other records, their order, the manifest" in ended.out
    assert "nor that nobody made log and archive anew" in ended.out
    *lines, last = map(
        json.loads, run("verify", "audit-report", "--json", cwd=demo).out.split("\n")[:-1]
    )
    assert [each["rungs"] for each in lines] == [["whole", "sealed"]]
    assert last["rungs"]["sealed"] == last["asked_of_log"] == 1
    assert last["log"] == {"origin": origin, "size": int(size), "root": root}


# A log of more than one tile


@dataclass(frozen=True, slots=True, kw_only=True)
class Deep:
    """An archive whose log has two levels of tiles, and its leaves."""

    root: Root
    leaves: tuple[str, ...]
    sizes: tuple[int, ...]

    def wanted(self, index: int) -> Logged:
        """Return the capture of a leaf, as its records would give it."""
        line = self.leaves[index]
        closing = next(each for each in self.leaves[index:] if each.startswith("file "))
        return Logged(
            capture_id=Digest(line.split()[1]),
            warc=closing.split()[1],
            leaves=(LeafAt(hashed=leaf_hash(line), offset=index),),
        )

    def place_of(self, record_digest: Digest) -> tuple[str, int] | None:
        """Return where a record stands, as an index would; offsets are numbers of leaves."""
        for index, line in enumerate(self.leaves):
            if line.split()[1] == record_digest:
                return self.wanted(index).warc, index
        return None


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Deep:
    root = make_root(tmp_path_factory.mktemp("deep"))
    sizes = []
    for number in range(3):
        collection, run_id = f"many-{number}", str(uuid.UUID(int=number + 1))
        writer = root.writer(collection, run=run_id)
        for at in range(240):
            write_capture(writer, f"d-{number}-{at}", collection=collection, run=run_id)
        writer.close()
        sizes.append(add_checkpoint(root.archive, root.metadata, system_runtime()).size)
    lines = leaves_of([root.archive / name for name in root.listed()])
    return Deep(root=root, leaves=tuple(each.decode() for each in lines), sizes=tuple(sizes))


def sealed(deep: Deep, index: int, place_of: PlaceOf | None = None) -> Seal:
    """Hold one capture against the log; by default with an index that says the truth."""
    audit = LogAudit(deep.root.path, place_of or deep.place_of, Trust(None, None))
    return audit.verify(deep.wanted(index))


PLACES = (1, 2, 240, 244, 255, 256, 482, 512, 724)


@pytest.mark.parametrize("index", PLACES)
def test_a_capture_is_found_in_a_log_of_many_tiles_whatever_the_index_says(
    deep: Deep, index: int
) -> None:
    """Where it tells the truth, where it knows nothing, and where it lies about every record."""
    assert deep.leaves[index].startswith("capture ")
    lies: list[PlaceOf] = [
        lambda _: None,
        lambda _: (deep.wanted(0).warc, 0),
        lambda _: (deep.wanted(700).warc, 10_000),
        lambda _: ("no-such-file.warc.gz", 3),
    ]
    for place_of in (deep.place_of, *lies):
        assert sealed(deep, index, place_of) == Seal(rungs=("sealed",), told=())


def test_another_leaf_is_in_no_log_whatever_the_index_says(deep: Deep) -> None:
    """An index that points at the right place makes nothing of it sealed."""
    wanted = deep.wanted(300)
    changed = Logged(
        capture_id=wanted.capture_id,
        warc=wanted.warc,
        leaves=(LeafAt(hashed=leaf_hash("another line\n"), offset=300),),
    )
    elsewhere = Logged(capture_id=wanted.capture_id, warc=deep.wanted(1).warc, leaves=wanted.leaves)
    for each in (changed, elsewhere):
        seal = LogAudit(deep.root.path, deep.place_of, Trust(None, None)).verify(each)
        assert seal.rungs == ()
        assert {one.code for one in seal.told} <= {"logged_capture_changed", "unlogged_capture"}
        assert seal.told


@pytest.fixture
def spoilt(deep: Deep, tmp_path: Path) -> Deep:
    shutil.copytree(deep.root.path, tmp_path / "root")
    return Deep(root=Root(tmp_path / "root"), leaves=deep.leaves, sizes=deep.sizes)


def put_byte(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("tile/0/001", 32 * 44 + 3),  # the capture's own hash
        ("tile/0/001", 32 * 7),  # one beside it
        ("tile/1/000.p/2", 5),  # the tile above, its other half
        ("tile/1/000.p/2", 40),  # the tile above, its own half
        ("tile/entries/001", 5),  # a leaf beside it
        ("checkpoint", 60),
        ("checkpoints/726", 60),
        ("checkpoints/484", 60),  # an older checkpoint that covers it
    ],
)
def test_a_byte_on_the_way_to_the_root_takes_the_rung_and_is_a_finding(
    spoilt: Deep, name: str, at: int
) -> None:
    """Tiles that the proof is made of, the leaves beside it, each checkpoint that covers it."""
    assert spoilt.sizes == (242, 484, 726)
    put_byte(spoilt.root.metadata / "log" / name, at)
    seal = sealed(spoilt, 300)
    assert seal.rungs == ()
    assert [each for each in seal.told if isinstance(each, Finding)]
    assert of_all(spoilt.root.path).codes


def test_damage_elsewhere_in_the_log_is_the_whole_archives_matter(spoilt: Deep) -> None:
    """The proof of one capture does not lead there: it holds, and the whole run finds it."""
    put_byte(spoilt.root.metadata / "log" / "tile" / "0" / "000", 77)
    assert sealed(spoilt, 300).rungs == ("sealed",)
    assert sealed(spoilt, 100).rungs == ()
    (spoilt.root.metadata / "log" / "tile" / "entries" / "000").write_bytes(b"")
    assert sealed(spoilt, 600).rungs == ("sealed",)
    whole = of_all(spoilt.root.path)
    assert whole.codes == {"log_damaged"}
    assert whole.report is not None and whole.report.rungs.sealed == 0


def test_damage_on_the_way_to_a_kept_checkpoint_is_no_other_history(spoilt: Deep) -> None:
    """The tile is named; that the log was rolled back is not said."""
    raw = (spoilt.root.metadata / "log" / "checkpoints" / "242").read_bytes()
    kept = [("apart", parse_checkpoint(text_of(raw)))]
    audit = LogAudit(spoilt.root.path, spoilt.place_of, Trust(None, None), kept)
    assert audit.verify(spoilt.wanted(600)).rungs == ("sealed",)
    put_byte(spoilt.root.metadata / "log" / "tile" / "0" / "000", 77)
    audit = LogAudit(spoilt.root.path, spoilt.place_of, Trust(None, None), kept)
    told = [each for each in audit.verify(spoilt.wanted(600)).told if isinstance(each, Finding)]
    assert [each.code for each in told] == ["log_damaged"]
    assert told[0].field == "metadata/log/tile/0/000"


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/001",
        "tile/0/002.p/214",
        "tile/1/000.p/2",
        "tile/entries/001",
        "tile/entries/002.p/214",
    ],
)
@pytest.mark.parametrize("how", ["gone", "cut", "empty", "a folder"])
def test_a_part_of_the_log_that_is_no_part_takes_the_rung(
    spoilt: Deep, name: str, how: str
) -> None:
    """A finding names it; nothing ends the command."""
    path = spoilt.root.metadata / "log" / name
    raw = path.read_bytes()
    path.unlink()
    if how == "a folder":
        path.mkdir()
    elif how != "gone":
        path.write_bytes(raw[:-1] if how == "cut" else b"")
    index = 500 if name.startswith("tile/entries/002") else 300
    seal = sealed(spoilt, index)
    assert seal.rungs == ()
    assert "log_damaged" in {each.code for each in seal.told}


def test_a_manifest_that_lies_hides_nothing_and_costs_nothing(spoilt: Deep) -> None:
    """Its lines exchanged, or none of them there: the leaf is found all the same."""
    path = spoilt.root.metadata / MANIFEST
    lines = path.read_text().splitlines(keepends=True)
    for text in ("".join(reversed(lines)), "", "x\n"):
        path.write_text(text)
        assert sealed(spoilt, 300).rungs == ("sealed",)
