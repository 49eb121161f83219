"""What a fuzzer begins with: the demo's archive taken apart, and files of other people."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

from provenance.archive import Archive
from provenance.cite import CitationFormat
from provenance.demo.run import run_demo
from provenance.log.folder import LogFolder
from provenance.log.note import SigningKey, format_note, sign_note
from provenance.timestamps.ots import Attestation, Branch, Proof, parse_answer, write_proof
from provenance.timestamps.timestamp import make_request
from provenance.warc.reader import read_records
from tests.challenge_pages import NEAR, WALLS
from tests.fuzz_mutations import LARGEST
from tests.ots_calendar import answer_to, rest_of
from tests.pdf_builder import build_pdf
from tests.test_log_ots import BLOCK_358391, HELLO_PROOF
from tests.test_verify_wacz import INDEX, PAGES, good, write
from tests.time_authority import CA, workshop

_CODED = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n%s"


def own_seeds(folder: Path) -> dict[str, list[bytes]]:
    """Return inputs for each reader, made of an archive of the demo's in `folder`."""
    root = folder / "demo"
    run_demo(root)
    archive = Archive(root)
    found: dict[str, list[bytes]] = defaultdict(list)
    for path in sorted((root / "archive").glob("*.warc.gz")):
        for name in ("warc", "verify", "survey", "recover"):
            found[name].append(path.read_bytes())
        for record in read_records(path):
            block = record.block(LARGEST)
            if record.header.type in ("response", "revisit"):
                found["http"].append(block)
                found["landing"].append(block)
                body = block.partition(b"\r\n\r\n")[2]
                kind = "pdf" if body[:5] == b"%PDF-" else "html"
                found[kind].append(body)
    found["seeds"] = [path.read_bytes() for path in sorted((root / "seeds").glob("*.toml"))]
    found["manifest"] = [path.read_bytes() for path in (root / "metadata").glob("manifest*")]
    for name, deflated in (("a.wacz", ()), ("b.wacz", (PAGES, INDEX))):
        found["wacz"].append(write(folder / name, good(), deflated=deflated).read_bytes())
    found["sidecar"] = [
        path.read_bytes() for path in sorted((root / "metadata" / "lookup").glob("*.jsonl"))
    ]
    found["landing"] += _walls()
    found["http"] += [
        _CODED % (name, b"4\r\nabcd\r\n0\r\n\r\n") for name in (b"br", b"zstd", b"gzip")
    ]
    found["robots"] = [b"User-agent: *\nDisallow: /a\nAllow: /a/b$\nCrawl-delay: 2\nSitemap: x\n"]
    found["pdf"].append(build_pdf([["Seite eins"], ["Seite zwei"]], title="T"))
    found["xml"] = [
        b'<?xml version="1.0" encoding="latin-1"?><!DOCTYPE html [<!ENTITY a "b">]>'
        b'<html xmlns="http://www.w3.org/1999/xhtml"><body><p>&a;\xe9<br/></p></body></html>'
    ]
    found["text"] = [b"\xef\xbb\xbfOne\r\n\r\ntwo \xe4\xb8\xad", "Ünï".encode("utf-16")]
    found["gather"] = [
        *found["html"][:6],
        b'<http://a.example/>;rel="original",<http://b.example/1>;rel="first memento"'
        b';datetime="Sun, 06 Nov 1994 08:49:37 GMT"',
        b'[["timestamp","original"],["20200101000000","http://a.example/"]]',
        b'@charset "x";@import url(a.css);a{background:url("b.png");src:image-set("c" 1x)}',
        b'<img srcset="a.png 1x, b.png 2x"><style>@import "x"</style><base href=//c>',
    ]
    found["assemble"] = [
        *found["gather"],
        b"<link rel=stylesheet href=a><style>@import 'b'</style><img src=cc data-src=d>",
        b"a{b:url(c)}<p style='x:url(d)'><picture><source srcset='e 1x,f 2x'><svg><image href=g>",
    ]
    found["draw"] = found["pdf"]
    _log_seeds(archive, found)
    _ots_seeds(found)
    _stamp_seeds(folder, found)
    return found


def _log_seeds(archive: Archive, found: dict[str, list[bytes]]) -> None:
    log = LogFolder(archive.metadata)
    newest = log.newest()
    assert newest is not None
    key = SigningKey(name="a.example/key", seed=bytes(32))
    note = sign_note(newest[1].decode(), [key])
    found["log"] = [newest[1], key.verifier.line.encode(), format_note(note)]
    found["log"] += [leaf for _, leaf in log.entries(newest[0].size)][:40]
    names = [str(each.document) for each in archive.documents()]
    found["log"] += [archive.proof(name) for name in names if archive.captures_of(name)][:3]
    found["cite"] = [
        archive.cite(name, form, None)[1].encode() for form in CitationFormat for name in names[:2]
    ]
    for name in log.names():
        if name.startswith("tile/"):
            found["tiles"].append(name.encode() + b"\n" + (log.path / name).read_bytes())


def _ots_seeds(found: dict[str, list[bytes]]) -> None:
    both = parse_answer(answer_to(b"x", "http://a.example"), bytes(32)) + parse_answer(
        b"\x08" + rest_of(900_000), bytes(32)
    )
    other = Branch((), bytes(32), Attestation(b"other---", b"?"))
    found["ots"] = [
        HELLO_PROOF,
        write_proof(Proof(bytes(32), (*both, other))),
        answer_to(b"x", "http://a.example"),
        BLOCK_358391,
        BLOCK_358391.hex().encode(),
    ]


def _stamp_seeds(folder: Path, found: dict[str, list[bytes]]) -> None:
    found["stamp"] = [make_request(b"x", nonce=7)]
    if shutil.which("openssl"):
        (folder / "authority").mkdir()
        shop = workshop(folder / "authority")
        shop.issue("root", extensions=CA)
        shop.issue("tsa", "root")
        found["stamp"] += [shop.pem("root", "tsa"), shop.reply(found["stamp"][0], "tsa")]


def others_seeds(corpus: Path, suffixes: tuple[str, ...]) -> list[bytes]:
    """Return the files of a folder of other people's whose names end so, the small ones."""
    if not suffixes:
        return []
    paths = sorted(path for path in corpus.rglob("*") if path.name.endswith(suffixes))
    return [path.read_bytes() for path in paths if path.stat().st_size <= LARGEST]


def _walls() -> list[bytes]:
    """Return what walls answer, as a message each."""
    sites = [*WALLS.values(), *NEAR.values()]
    plays = [play() if callable(play) else play for site in sites for play in site.pages.values()]
    return [play for play in plays if play is not None]
