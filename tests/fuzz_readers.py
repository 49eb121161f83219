"""The readers that take bytes of strangers, each as one call: bytes in, a few words out.

The words say what the reader made of the bytes (its findings, its refusal), so that a fuzzer can
tell inputs apart by them. One of our own errors is a word too; anything else gets out, as a crash.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provenance.errors import ProvenanceError

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """`read` takes an input and a folder of its own for files; `rooms` is the code it is about.

    Seeds of other people's files are those whose names end in one of `suffixes`; `share` is how
    much of the time it gets, beside the others.
    """

    read: Callable[[bytes, Path], Iterable[str]]
    rooms: tuple[str, ...]
    suffixes: tuple[str, ...] = ()
    share: int = 2


def words(reader: Reader, raw: bytes, folder: Path) -> tuple[str, ...]:
    """Read one input; return what the reader made of it, each word once."""
    said: set[str] = set()
    try:
        said.update(reader.read(raw, folder))
    except ProvenanceError as fault:
        said.add(_said(fault))
    return tuple(sorted(said))


def _said(fault: ProvenanceError) -> str:
    return f"{type(fault).__name__} {_DIGITS.sub('#', fault.what)[:60]}"


def _each(*reads: Callable[[], object]) -> Iterator[str]:
    """Call each, and yield what came of it."""
    for number, read in enumerate(reads):
        try:
            read()
            yield f"{number} read"
        except ProvenanceError as fault:
            yield f"{number} {_said(fault)}"


def _file(raw: bytes, folder: Path, stem: str) -> Path:
    path = folder / (f"{stem}.gz" if raw[:2] == b"\x1f\x8b" else stem)
    path.write_bytes(raw)
    return path


# WARC


def _records(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.warc.reader import read_record_at, read_records

    path = _file(raw, folder, "a.warc")
    last = 0
    for record in read_records(path):
        record.finish()
        last = record.offset
        yield str(record.header.type)[:20]
    for record in read_record_at(path, last):
        record.block(1 << 16)
        break


def _verify(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.verify import verify_file

    report = verify_file(_file(raw, folder, "a.warc"))
    yield from (each.code for each in report.findings)
    yield from (each.code for each in report.notes)
    yield from (rung for verdict in report.verdicts() for rung in verdict.rungs)


def _survey(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.warc.survey import survey

    found = survey(_file(raw, folder, "a.warc"))
    yield f"{len(found.captures)} captures"


def _wacz(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.verify.wacz import verify_wacz

    path = folder / "a.wacz"
    path.write_bytes(raw)
    report = verify_wacz(path)
    yield from (each.code for each in report.findings)
    yield from (each.code for each in report.notes)
    yield from (each.code for one in report.files for each in one.findings)


def _recover(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.warc.recovery import recover

    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("archive", "metadata"):
        (root / name).mkdir(parents=True)
    (root / "archive" / "a-20200101000000000-00000.warc.gz.open").write_bytes(raw)
    found = recover(root / "archive", root / "metadata")
    yield f"{len(found)} recovered, {len(list((root / 'archive').iterdir()))} there"


def _sidecar(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.digest import Digest
    from provenance.warc.sidecar import parse_sidecar

    told = _DIGEST.search(raw)
    try:
        part = parse_sidecar(
            raw.splitlines(keepends=True), Digest(told[0].decode() if told else "")
        )
    except (ValueError, LookupError, TypeError, RecursionError) as fault:  # as history takes them
        yield type(fault).__name__
    else:
        yield f"{len(part.captures)} captures"


def _manifest(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.verify.manifest import parse_manifest as parse_with_faults
    from provenance.warc.manifest import parse_manifest

    return _each(lambda: parse_manifest(raw), lambda: parse_with_faults(raw))


# HTTP


def _http(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.http_body import BodyMeter, content_pieces, content_start
    from provenance.http_message import (
        MessageEnd,
        body_shape,
        head_end,
        media_type_of,
        parse_field_lines,
        parse_response_head,
    )

    end = head_end(raw)
    head = parse_response_head(raw if end is None else raw[:end])
    parse_field_lines(raw)
    if head is None:
        yield "no head"
        return
    media_type_of(head)
    body = raw[end or len(raw) :]
    for method in ("GET", "HEAD"):
        shape = body_shape(head, method=method)
        yield f"{shape.framing} {sorted(set(shape.codings))[:3]}"
        ended = MessageEnd(shape)
        for at in range(0, len(body), 997):
            ended.feed(body[at : at + 997])
        meter = BodyMeter(shape)
        meter.feed(body)
        told = meter.finish(cut=False)
        yield str(told.undecoded)
        size = sum(len(each) for each in content_pieces(shape, lambda: [body], cut=False))
        assert size == told.content_size, "content of two sizes"
        content_start(shape, [body], undecoded=told.undecoded, limit=4096)


def _landing(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.http_message import head_end, parse_response_head
    from provenance.landing.challenges import LOOKED_AT, matching_rule
    from provenance.landing.notice import notice

    end = head_end(raw)
    head = parse_response_head(raw if end is None else raw[:end])
    content = raw[end:] if end and head else raw
    head = head or parse_response_head(b"HTTP/1.1 403 No\r\nContent-Type: text/html\r\n\r\n")
    assert head is not None
    asked, final = "http://a.example/one/two.html", "http://a.example/two"
    rule = matching_rule(head, content[:LOOKED_AT], asked=asked, final=final)
    yield rule.id if rule else "no rule"
    yield str(notice(head, content[:LOOKED_AT], asked=asked, final=final))[:60]


# What a curator or a stranger writes


def _seeds(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.seeds.file import draft_collection

    draft = draft_collection(raw, name="a.toml")
    documents = draft.collection.documents if draft.collection else ()
    yield f"{len(documents)} documents"
    yield from (_DIGITS.sub("#", each)[-40:] for each in draft.faults[:20])


def _robots(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.fetch.robots import read_robots

    found = read_robots("http://a.example/robots.txt", 200, raw)
    yield f"{found.reason} {found.allows('http://a.example/a/b?c', 'provenance')}"
    found.delay_s("provenance")


def _cite(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.cite.identifiers import parse_ids, parse_pwids

    text = raw.decode("utf-8", "surrogateescape")
    yield f"{min(len(parse_ids(text)), 3)} ids"
    yield f"{min(len(parse_pwids(text)), 3)} pwids"


def _gather(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.gather.requisites import requisites_of_page, requisites_of_sheet
    from provenance.gather.timemaps import read_timemap

    text = raw.decode("utf-8", "replace")
    yield str(read_timemap(text, url="http://a.example/m").fault)
    requisites_of_page(text, url="http://a.example/")
    requisites_of_page(text, url="http://a.example/", xml=True)
    requisites_of_sheet(text, url="http://a.example/a.css")


def _assemble(raw: bytes, folder: Path) -> Iterator[str]:
    """Put a page together with itself: every address holds the same bytes, as each kind of part."""
    from provenance.replay.assembly import Page, assemble
    from provenance.replay.holding import Held

    class Mirror:
        def has(self, url: str) -> bool:
            return True

        def find(self, url: str) -> Held:
            kind = ("text/css", "image/svg+xml", "")[len(url) % 3]
            date = "2020-01-01T00:00:00Z"
            return Held(url=url, date=date, media_type=kind, charset=None, content=raw)

    for kind in ("text/html", "application/xhtml+xml"):
        page = Page(content=raw, url="http://a.example/", media_type=kind, charset=None)
        made = assemble(page, Mirror())
        yield f"{bool(made.named)} {bool(made.shown)} {len(made.lacking)} {made.limited}"


# The log


def _log_texts(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.log.checkpoint import open_checkpoint, parse_checkpoint, parse_key, text_of
    from provenance.log.leaf import parse_leaf
    from provenance.log.note import parse_note, parse_signing_key, parse_verifier_key
    from provenance.log.proof import parse_proof

    text = raw.decode("utf-8", "surrogateescape")
    return _each(
        lambda: parse_checkpoint(text),
        lambda: parse_checkpoint(text_of(raw)),
        lambda: open_checkpoint(raw, [], origin="a.example"),
        lambda: parse_note(raw),
        lambda: parse_leaf(raw),
        lambda: parse_proof(raw),
        lambda: parse_verifier_key(text),
        lambda: parse_signing_key(text),
        lambda: parse_key(text),
    )


def _tiles(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.log.tiles import Tile, cut, parse_bundle, parse_hash_tile, parse_tile_path

    path, _, rest = raw.partition(b"\n")
    name = path.decode("utf-8", "surrogateescape")
    whole = Tile(level=None, index=0, width=raw[0] % 256 + 1 if raw else 1)
    hashes = Tile(level=0, index=0, width=max(1, min(256, len(raw) // 32)))
    return _each(
        lambda: parse_tile_path(name),
        lambda: parse_bundle(rest, whole),
        lambda: cut(rest, whole),
        lambda: parse_hash_tile(raw, hashes),
    )


def _stamp(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.timestamps.timestamp import certificates_of, check_response
    from provenance.timestamps.trusted import parse_anchors
    from provenance.timestamps.tsp import parse_request

    return _each(
        lambda: parse_request(raw),
        lambda: check_response(raw, b"x"),
        lambda: certificates_of(raw),
        lambda: parse_anchors(raw, where="a"),
    )


def _ots(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.timestamps.block import parse_header
    from provenance.timestamps.ots import parse_answer, parse_proof, write_proof

    def both_ways() -> None:
        proof = parse_proof(raw)
        assert set(parse_proof(write_proof(proof)).branches) == set(proof.branches)

    return _each(
        both_ways,
        lambda: parse_answer(raw[:10_000], bytes(32)),
        lambda: parse_header(raw, where="a", least_work=1),
    )


# Documents


def _extract(media_type: str) -> Callable[[bytes, Path], Iterator[str]]:
    def read(raw: bytes, folder: Path) -> Iterator[str]:
        from provenance.extract import extract

        found = extract(raw, media_type=media_type, base_url="http://a.example/")
        yield f"{found.fault} {found.charset} {bool(found.text)}"

    return read


def _draw(raw: bytes, folder: Path) -> Iterator[str]:
    from provenance.extract.drawing import drawn

    yield str(drawn(raw, 1).fault)


READERS = {
    "warc": Reader(read=_records, rooms=("warc/reader", "warc/record", "warc/members"),
                   suffixes=(".warc", ".gz", ".arc", ".open")),
    "verify": Reader(read=_verify, rooms=("whole/", "verify/"), share=8,
                     suffixes=(".warc", ".gz", ".arc", ".open")),
    "survey": Reader(read=_survey, rooms=("warc/",), suffixes=(".warc", ".gz"), share=4),
    "wacz": Reader(read=_wacz, rooms=("verify/",), suffixes=(".wacz",), share=6),
    "recover": Reader(read=_recover, rooms=("warc/recovery", "warc/members")),
    "sidecar": Reader(read=_sidecar, rooms=("warc/sidecar",)),
    "manifest": Reader(read=_manifest, rooms=("warc/manifest", "verify/manifest")),
    "http": Reader(read=_http, rooms=("http_message", "http_body"), share=4),
    "landing": Reader(read=_landing, rooms=("landing/",), share=6),
    "seeds": Reader(read=_seeds, rooms=("seeds/", "uri"), share=4),
    "robots": Reader(read=_robots, rooms=("fetch/robots",)),
    "cite": Reader(read=_cite, rooms=("cite/identifiers",)),
    "gather": Reader(read=_gather, rooms=("gather/",), share=4),
    "assemble": Reader(read=_assemble, rooms=("replay/", "gather/"), share=4),
    "log": Reader(read=_log_texts, rooms=("log/checkpoint", "log/note", "log/proof", "log/leaf")),
    "tiles": Reader(read=_tiles, rooms=("log/tiles",)),
    "stamp": Reader(
        read=_stamp,
        rooms=(
            "timestamps/tsp",
            "timestamps/der",
            "timestamps/cms",
            "timestamps/timestamp",
            "timestamps/trusted",
            "timestamps/chain",
        ),
        suffixes=(".tsr",),
        share=4,
    ),
    "ots": Reader(read=_ots, rooms=("timestamps/ots", "timestamps/block")),
    "html": Reader(read=_extract("text/html"), rooms=("extract/",), share=4),
    "xml": Reader(read=_extract("application/xhtml+xml"), rooms=("extract/",)),
    "text": Reader(read=_extract("text/plain"), rooms=("extract/",)),
    "pdf": Reader(read=_extract("application/pdf"), rooms=("extract/pdf",), share=6),
    "draw": Reader(read=_draw, rooms=("extract/drawing", "extract/png"), share=4),
}  # fmt: skip
