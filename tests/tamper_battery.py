"""The tamper battery: the ways to change a sealed archive, and how far a forger goes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from provenance.archive import Archive
from provenance.log.checkpoint import Checkpoint, format_checkpoint
from provenance.log.folder import LogFolder
from provenance.log.merkle import CompactRange, hash_leaf
from provenance.log.tiles import format_bundle, parse_bundle, parse_tile_path
from tests.tamper_rig import (
    Change,
    Place,
    Scene,
    agreeing,
    edited,
    having,
    redigested,
    saying,
)
from tests.verify_builders import Rec

Tamper = Callable[[Scene], Place]

NOTHING = "nothing"
MANIFEST = "the manifest"
DIGESTS = "digests, the manifest"
ALL = "all records, the manifest"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One way: what is done, what is made to agree again, whether the log alone can tell."""

    done: str
    remade: str
    tamper: Tamper
    by_log_alone: bool

    @property
    def name(self) -> str:
        return re.sub(r"\W+", "-", f"{self.done} {self.remade}")


BATTERY: list[Entry] = []


def entry(done: str, *remade: str, by_log_alone: bool = False) -> Callable[[Tamper], Tamper]:
    """Put a way into the battery."""

    def put(tamper: Tamper) -> Tamper:
        words = ", ".join(remade) or NOTHING
        BATTERY.append(Entry(done=done, remade=words, tamper=tamper, by_log_alone=by_log_alone))
        return tamper

    return put


# One record of the news of the first run, which no other record refers to


def change_news(scene: Scene, change: Change, *, kind: str = "response") -> tuple[str, int]:
    """Change one record of the news in the first file, and nothing else."""
    name = scene.files[0]
    at = scene.find(name, kind, "/news")
    records = scene.records(name)
    records[at] = change(records[at])
    scene.write(name, records)
    return name, at


def change_all_news(scene: Scene, change: Change, *others: Change, at: int = 0) -> tuple[str, int]:
    """Change the response and make all agree; `others` change request and metadata record too.

    `at` says in which file.
    """
    name = scene.files[at]
    at = scene.find(name, "response", "/news")
    records = scene.records(name)
    records[at] = redigested(change(records[at]))
    for other in others:
        records[at - 1], records[at + 1] = other(records[at - 1]), other(records[at + 1])
    records[at + 1] = agreeing(records[at], records[at + 1])
    scene.write(name, records)
    scene.remake_manifest()
    return name, at


BODY = edited(b"opens", b"shuts")
HEAD = edited(b"text/html", b"text/htmk")


@entry("a byte of a body changed")
def _(scene: Scene) -> Place:
    return scene.place(*change_news(scene, BODY), "WARC-Block-Digest")


@entry("a byte of a body changed", MANIFEST)
def _(scene: Scene) -> Place:
    found = change_news(scene, BODY)
    scene.remake_manifest()
    return scene.place(*found, "WARC-Payload-Digest")


@entry("a byte of a body changed", DIGESTS)
def _(scene: Scene) -> Place:
    name, at = change_news(scene, lambda each: redigested(BODY(each)))
    scene.remake_manifest()
    return scene.place(name, at + 1, "content_id")


@entry("a byte of a body changed", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    return changed_in_log(scene, lambda: change_all_news(scene, BODY), "response")


@entry("a byte of an HTTP header changed", MANIFEST)
def _(scene: Scene) -> Place:
    found = change_news(scene, HEAD)
    scene.remake_manifest()
    return scene.place(*found, "WARC-Block-Digest")


@entry("a byte of an HTTP header changed", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    return changed_in_log(scene, lambda: change_all_news(scene, HEAD), "response")


def changed_in_log(scene: Scene, change: Callable[[], tuple[str, int]], record: str) -> Place:
    """Make the change; return how the log names the news: by the capture that they were."""
    name = scene.files[0]
    was = scene.place(name, scene.find(name, "response", "/news"))
    change()
    return Place(warc=name, capture_id=was.capture_id, field=record)


# Date, target, address

OTHER_DATE = having(WARC_Date="2020-11-23T09:45:00.000000Z")
OTHER_TARGET = having(WARC_Target_URI="http://elsewhere.example/news")
OTHER_ADDRESS = having(WARC_IP_Address="198.51.100.9")


@entry("WARC-Date set back", MANIFEST)
def _(scene: Scene) -> Place:
    name, at = change_news(scene, OTHER_DATE)
    scene.remake_manifest()
    return scene.place(name, at, "WARC-Date")


@entry("WARC-Date set back", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    return changed_in_log(scene, lambda: change_all_news(scene, OTHER_DATE, OTHER_DATE), "response")


@entry("the target URI changed", MANIFEST)
def _(scene: Scene) -> Place:
    name, at = change_news(scene, OTHER_TARGET)
    scene.remake_manifest()
    return scene.place(name, at, "WARC-Target-URI")


@entry("the target URI changed", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    return changed_in_log(
        scene, lambda: change_all_news(scene, OTHER_TARGET, OTHER_TARGET), "response"
    )


@entry("the IP address changed", MANIFEST)
def _(scene: Scene) -> Place:
    name, at = change_news(scene, OTHER_ADDRESS)
    scene.remake_manifest()
    return scene.place(name, at, "WARC-IP-Address")


@entry("the IP address changed", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    return changed_in_log(
        scene,
        lambda: change_all_news(scene, OTHER_ADDRESS, having(WARC_IP_Address="198.51.100.9")),
        "response",
    )


@entry("a body edited, its digests left out", MANIFEST)
def _(scene: Scene) -> Place:
    bare = having(WARC_Block_Digest=None, WARC_Payload_Digest=None)
    found = change_news(scene, lambda each: bare(BODY(each)))
    scene.remake_manifest()
    return scene.place(*found, "WARC-Block-Digest")


# Records and captures that go, come or move


def news_of(scene: Scene) -> tuple[str, int, list[Rec]]:
    """Return the first file, where its news begin, and its records."""
    name = scene.files[0]
    return name, scene.find(name, "request", "/news"), scene.records(name)


def recounted(records: Sequence[Rec], change: int) -> list[Rec]:
    """Return the records with another count of captured documents in the run's closing record."""
    *before, last = records
    counts = json.loads(last.block)["outcomes"]
    counts["captured"] += change
    return [*before, saying(last, outcomes=counts)]


@entry("request and response deleted", MANIFEST)
def _(scene: Scene) -> Place:
    name, at, records = news_of(scene)
    del records[at : at + 2]
    scene.write(name, records)
    scene.remake_manifest()
    offset = scene.place(name, at).offset
    return Place(warc=name, offset=offset, field="WARC-Concurrent-To")


@entry("a whole capture deleted", MANIFEST)
def _(scene: Scene) -> Place:
    name, at, records = news_of(scene)
    place = scene.place(name, at, "request")
    del records[at : at + 3]
    scene.write(name, records)
    scene.remake_manifest()
    return replace(place, offset=None)


@entry("a whole capture deleted", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    name, at, records = news_of(scene)
    place = scene.place(name, at, "request")
    del records[at : at + 3]
    scene.write(name, recounted(records, -1))
    scene.remake_manifest()
    return replace(place, offset=None)


@entry("records of a capture reordered", MANIFEST)
def _(scene: Scene) -> Place:
    name, at, records = news_of(scene)
    records[at : at + 3] = [records[at + 1], records[at], records[at + 2]]
    scene.write(name, records)
    scene.remake_manifest()
    return scene.place(name, at, "request, response, metadata")


@entry("captures reordered", MANIFEST, by_log_alone=True)
def _(scene: Scene) -> Place:
    name, at, records = news_of(scene)
    first = scene.find(name, "request", "/page")
    news, page = records[at : at + 3], records[first : first + 3]
    records[at : at + 3], records[first : first + 3] = page, news
    scene.write(name, records)
    scene.remake_manifest()
    return Place(warc=name, field="order")


@entry("the last member cut short", MANIFEST)
def _(scene: Scene) -> Place:
    name = scene.files[0]
    place = scene.place(name, len(scene.records(name)) - 1)
    scene.path(name).write_bytes(scene.path(name).read_bytes()[:-30])
    scene.remake_manifest()
    return Place(warc=name, offset=place.offset, field="end of the file")


def forged(records: Sequence[Rec]) -> list[Rec]:
    """Return a capture that never was, in which all agrees, made after a real one."""
    request, response, metadata = records
    ids = [f"<urn:uuid:00000000-0000-4000-8000-{number:012d}>" for number in (1, 2, 3)]
    response = redigested(having(WARC_Record_ID=ids[1])(BODY(response)))
    metadata = having(WARC_Record_ID=ids[2], WARC_Concurrent_To=ids[1])(metadata)
    return [
        having(WARC_Record_ID=ids[0], WARC_Concurrent_To=ids[1])(request),
        response,
        agreeing(response, metadata, document="doc-9"),
    ]


@entry("a forged capture inserted", DIGESTS)
def _(scene: Scene) -> Place:
    name, at, records = news_of(scene)
    scene.write(name, [*records[:at], *forged(records[at : at + 3]), *records[at:]])
    scene.remake_manifest()
    return scene.place(name, len(scene.records(name)) - 1, "outcomes")


@entry("a forged capture inserted", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    name, at, records = news_of(scene)
    made = forged(records[at : at + 3])
    scene.write(name, recounted([*records[:at], *made, *records[at:]], +1))
    scene.remake_manifest()
    return scene.place(name, at, "request")


@entry("the request record edited", MANIFEST)
def _(scene: Scene) -> Place:
    found = change_news(scene, edited(b"identity", b"gzip"), kind="request")
    scene.remake_manifest()
    return scene.place(*found, "WARC-Block-Digest")


@entry("the request record edited", DIGESTS, by_log_alone=True)
def _(scene: Scene) -> Place:
    def change(each: Rec) -> Rec:
        return redigested(edited(b"identity", b"gzip")(each))

    found = change_news(scene, change, kind="request")
    scene.remake_manifest()
    return scene.place(*found, "request record")


@entry("the metadata record edited", DIGESTS)
def _(scene: Scene) -> Place:
    found = change_news(scene, lambda each: saying(each, status=404), kind="metadata")
    scene.remake_manifest()
    return scene.place(*found, "status")


@entry("the metadata record edited where nothing else says the same", DIGESTS, by_log_alone=True)
def _(scene: Scene) -> Place:
    found = change_news(scene, lambda each: saying(each, via="a friend"), kind="metadata")
    scene.remake_manifest()
    return replace(scene.place(*found, "metadata record"), offset=None)


@entry("the warcinfo record edited", DIGESTS, by_log_alone=True)
def _(scene: Scene) -> Place:
    name = scene.files[0]
    first, *records = scene.records(name)
    scene.write(name, [redigested(edited(b"jobs: 64", b"jobs: 1")(first)), *records])
    scene.remake_manifest()
    return Place(warc=name, offset=0, field="record")


# Files


@entry("a WARC file deleted")
def _(scene: Scene) -> Place:
    name = scene.files[1]
    scene.path(name).unlink()
    return Place(warc=name, field="no such file")


@entry("a WARC file deleted", MANIFEST, by_log_alone=True)
def _(scene: Scene) -> Place:
    name = scene.files[1]
    scene.path(name).unlink()
    scene.remake_manifest()
    return Place(warc=name, field="no such file")


def added(scene: Scene) -> str:
    """Put in a file of records that fit together, as if a run had made it."""
    name, at, records = news_of(scene)
    new = name.replace("00000.warc.gz", "00007.warc.gz")
    shutil.copy(scene.path(name), scene.path(new))
    own = "<urn:uuid:00000000-0000-4000-8000-000000000009>"
    info = having(WARC_Record_ID=own, WARC_Filename=new)(records[0])
    run = re.search(rb"\r\nrun: (\S+)", info.block)
    assert run is not None
    info = redigested(edited(run[1], own[10:-1].encode())(info))
    request, response, metadata = forged(records[at : at + 3])
    scene.write(new, [info, request, response, saying(metadata, run=own[10:-1])])
    return new


@entry("a WARC file added")
def _(scene: Scene) -> Place:
    return Place(warc=added(scene), field="none")


@entry("a WARC file added", "the manifest, its line among older ones")
def _(scene: Scene) -> Place:
    name = added(scene)
    digest = hashlib.sha256(scene.path(name).read_bytes()).hexdigest()
    line = f"{digest}  archive/{name}\n"
    scene.manifest.write_text(line + scene.manifest.read_text())
    return Place(warc=name, field="manifest-sha256.txt line 1")


@entry("a WARC file duplicated", MANIFEST)
def _(scene: Scene) -> Place:
    name = scene.files[0]
    again = name.replace("00000.warc.gz", "00007.warc.gz")
    shutil.copy(scene.path(name), scene.path(again))
    scene.remake_manifest()
    return Place(warc=again, field=f"the bytes of {name}")


@entry("a WARC file duplicated, compressed anew", MANIFEST)
def _(scene: Scene) -> Place:
    name = scene.files[0]
    again = name.replace("00000.warc.gz", "00007.warc.gz")
    plain = (each.plain for each in scene.records(name))
    scene.path(again).write_bytes(b"".join(gzip.compress(each, 1, mtime=9) for each in plain))
    scene.remake_manifest()
    return Place(warc=again, field="WARC-Record-ID")


@entry("two WARC files' names exchanged")
def _(scene: Scene) -> Place:
    return Place(warc=exchanged(scene), field="sha256")


@entry("two WARC files' names exchanged", MANIFEST, by_log_alone=True)
def _(scene: Scene) -> Place:
    name = exchanged(scene)
    scene.remake_manifest()
    return Place(warc=name, field="sha256, records")


def exchanged(scene: Scene) -> str:
    first, second, _ = (scene.path(name) for name in scene.files)
    raw = first.read_bytes()
    second.replace(first)
    second.write_bytes(raw)
    return first.name


# The manifest


@entry("a digest in the manifest changed")
def _(scene: Scene) -> Place:
    raw = scene.manifest.read_text()
    scene.manifest.write_text(("0" if raw[0] != "0" else "1") + raw[1:])
    return Place(warc=scene.files[0], field="sha256")


@entry("a line of the manifest taken out")
def _(scene: Scene) -> Place:
    scene.manifest.write_text(scene.manifest.read_text().partition("\n")[2])
    return Place(warc=scene.files[0], field="line")


@entry("two lines of the manifest exchanged", by_log_alone=False)
def _(scene: Scene) -> Place:
    first, second, *rest = scene.manifest.read_text().splitlines(keepends=True)
    scene.manifest.write_text("".join([second, first, *rest]))
    return Place(warc=scene.files[1], field="manifest-sha256.txt line 1")


@entry("the manifest deleted")
def _(scene: Scene) -> Place:
    scene.manifest.unlink()
    return Place(field="manifest-sha256.txt")


# The log


def the_file(scene: Scene, folder: str) -> str:
    """Return the name, below metadata/log, of the only file of a folder of the log."""
    (path,) = (each for each in (scene.log / folder).rglob("*") if each.is_file())
    return path.relative_to(scene.log).as_posix()


def tile_names(scene: Scene) -> tuple[str, str]:
    return the_file(scene, "tile/0"), the_file(scene, "tile/entries")


def kept_sizes(scene: Scene) -> list[int]:
    return sorted(int(each.name) for each in (scene.log / "checkpoints").iterdir())


def put_digit(scene: Scene, name: str, at: int = 40) -> None:
    """Change one character, where any digit and letter may stand, into another."""
    raw = bytearray((scene.log / name).read_bytes())
    raw[at : at + 1] = b"1" if raw[at : at + 1] != b"1" else b"2"
    (scene.log / name).write_bytes(raw)


@entry("a hash tile of the log edited")
def _(scene: Scene) -> Place:
    name, _ = tile_names(scene)
    put_digit(scene, name)
    return Place(field=f"{name} hash 1")


@entry("a leaf of the log edited")
def _(scene: Scene) -> Place:
    _, name = tile_names(scene)
    put_digit(scene, name)
    return Place(field="line 3")


@entry("a leaf of the log edited", "the hash tile")
def _(scene: Scene) -> Place:
    hashes, entries = tile_names(scene)
    put_digit(scene, entries)
    tile = parse_tile_path(entries)
    leaves = parse_bundle((scene.log / entries).read_bytes(), tile)
    raw = b"".join(hashlib.sha256(b"\0" + each).digest() for each in leaves)
    (scene.log / hashes).write_bytes(raw)
    return Place(field="line 3")


@entry("a leaf of the log taken out", "the hash tile, the newest checkpoint")
def _(scene: Scene) -> Place:
    _, entries = tile_names(scene)
    leaves = parse_bundle((scene.log / entries).read_bytes(), parse_tile_path(entries))
    relog(scene, [*leaves[:1], *leaves[2:]])
    return Place(field="line 3")


def relog(scene: Scene, leaves: Sequence[bytes]) -> None:
    """Write a log of these leaves and the newest checkpoint of it; the first stays as it was."""
    origin = (scene.log / "checkpoint").read_text().partition("\n")[0]
    (scene.log / f"checkpoints/{kept_sizes(scene)[-1]}").unlink()
    shutil.rmtree(scene.log / "tile")
    tree, folder = CompactRange(), LogFolder(scene.root / "metadata")
    for each in leaves:
        tree.append(hash_leaf(each))
    folder.append(0, leaves)
    head = Checkpoint(origin=origin, size=tree.size, root=tree.root())
    folder.publish(tree.size, format_checkpoint(head).encode())


@entry("the newest checkpoint edited")
def _(scene: Scene) -> Place:
    put_digit(scene, "checkpoint")
    return Place(field="metadata/log/checkpoint")


@entry("a kept checkpoint edited")
def _(scene: Scene) -> Place:
    name = f"checkpoints/{kept_sizes(scene)[0]}"
    put_digit(scene, name, at=-10)
    return Place(field=name)


@entry("a line added to a kept checkpoint")
def _(scene: Scene) -> Place:
    name = f"checkpoints/{kept_sizes(scene)[0]}"
    path = scene.log / name
    path.write_bytes(path.read_bytes() + b"made by another\n")
    return Place(field=f"{name} line 4")


@entry("a signature added to a kept checkpoint")
def _(scene: Scene) -> Place:
    name = f"checkpoints/{kept_sizes(scene)[0]}"
    path = scene.log / name
    signature = base64.b64encode(bytes(68)).decode()
    path.write_bytes(path.read_bytes() + f"\n\u2014 example.org {signature}\n".encode())
    return Place(field="operator.pub")


@entry("a kept checkpoint deleted")
def _(scene: Scene) -> Place:
    name = f"checkpoints/{kept_sizes(scene)[0]}"
    (scene.log / name).unlink()
    return Place(field=name)


def roll_back(scene: Scene) -> None:
    """Make the log what it was at its first checkpoint, later ones gone."""
    first, second = kept_sizes(scene)
    hashes, entries = tile_names(scene)
    leaves = parse_bundle((scene.log / entries).read_bytes(), parse_tile_path(entries))[:first]
    raw = (scene.log / hashes).read_bytes()[: 32 * first]
    for name, made in ((hashes, raw), (entries, format_bundle(leaves))):
        path = scene.log / name
        path.unlink()
        path.with_name(str(first)).write_bytes(made)
    (scene.log / f"checkpoints/{second}").unlink()
    shutil.copy(scene.log / f"checkpoints/{first}", scene.log / "checkpoint")


@entry("the log rolled back to its first checkpoint")
def _(scene: Scene) -> Place:
    roll_back(scene)
    return Place(warc=scene.files[2], offset=0, field="log-checkpoint")


@entry("an older checkpoint put in the newest one's place, a later file edited", ALL)
def _(scene: Scene) -> Place:
    first, _ = kept_sizes(scene)
    hashes, entries = tile_names(scene)
    leaves = parse_bundle((scene.log / entries).read_bytes(), parse_tile_path(entries))[:first]
    raw = (scene.log / hashes).read_bytes()[: 32 * first]
    for name, made in ((hashes, raw), (entries, format_bundle(leaves))):
        (scene.log / name).with_name(str(first)).write_bytes(made)
    shutil.copy(scene.log / f"checkpoints/{first}", scene.log / "checkpoint")
    scene.path(scene.files[2]).unlink()
    place = scene.place(scene.files[1], scene.find(scene.files[1], "response", "/news"), "response")
    change_all_news(scene, BODY, at=1)
    return replace(place, offset=None)


@entry("the log deleted")
def _(scene: Scene) -> Place:
    shutil.rmtree(scene.log)
    return Place(warc=scene.files[1], offset=0, field="log-checkpoint")


@entry("a body edited, the log made anew with an origin of its own", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    change_all_news(scene, BODY)
    shutil.rmtree(scene.log)
    Archive(scene.root).checkpoint()
    return Place(warc=scene.files[1], offset=0, field="log-checkpoint")


@entry("a body edited, the log made anew with its old origin", ALL, by_log_alone=True)
def _(scene: Scene) -> Place:
    origin = (scene.log / "checkpoint").read_text().partition("\n")[0]
    change_all_news(scene, BODY)
    shutil.rmtree(scene.log)
    Archive(scene.root).checkpoint(origin=origin)
    return Place(warc=scene.files[1], offset=0, field="log-checkpoint")
