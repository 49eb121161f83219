"""The hall: an archive root with everything that can be done in it. This is the Python API."""

from __future__ import annotations

import contextlib
import hashlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from provenance import __version__
from provenance.addition import Addition, add
from provenance.cite import Citation, CitationFormat, render
from provenance.digest import from_hex
from provenance.errors import NotARootError, ProvenanceError, UsageError
from provenance.fetch import Errand, FetchPorts, FetchSettings, fetch
from provenance.fetch.selection import adhoc_id, select
from provenance.index import (
    CaptureRow,
    Comparison,
    DocumentRow,
    IndexSummary,
    LinkRow,
    Resolved,
    SearchHit,
    build,
    capture,
    captures,
    captures_of,
    check,
    citation,
    document,
    documents,
    fts_query,
    links_of,
    note_of,
    open_index,
    resolve,
    search,
    sources,
)
from provenance.indexing import Deriver, survey_all, warc_paths
from provenance.model import (
    ADHOC,
    Collection,
    CollectionId,
    Document,
    DocumentId,
    Outcome,
    PublisherKind,
    Role,
    RunId,
)
from provenance.run_files import RunFiles
from provenance.runtime import Runtime, system_runtime
from provenance.seeds import EXAMPLE_COLLECTION, read_collections, to_toml
from provenance.verify import CaptureVerdict, Finding, Note, Report, verify_archive
from provenance.warc.contents import read_content, read_head
from provenance.warc.history import read_history
from provenance.warc.manifest import read_manifest
from provenance.warc.recovery import Recovered, recover
from provenance.web.source import Exchange

FOLDERS = ("seeds", "archive", "metadata")
INDEX = "provenance.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """A run under way: its id, its outcomes as they come, and documents outside the seeds."""

    run: RunId
    outcomes: Iterator[Outcome]
    adhoc: tuple[Errand, ...]


class Archive:
    """One archive root: `seeds/`, `archive/` and `metadata/`.

    Raises:
        NotARootError: the directory lacks one of them.
    """

    def __init__(self, root: Path, runtime: Runtime | None = None) -> None:
        missing = [name for name in FOLDERS if not (root / name).is_dir()]
        if missing:
            raise NotARootError(
                "not an archive root",
                where=str(root),
                expected="the folders seeds, archive and metadata",
                found=f"no {' and no '.join(missing)}",
                hint="`provenance init` makes one; -C names another.",
            )
        self.root = root
        self.runtime = runtime or system_runtime()
        self.archive = root / "archive"
        self.metadata = root / "metadata"
        self.index_path = self.metadata / INDEX

    @classmethod
    def init(cls, root: Path, runtime: Runtime | None = None) -> Archive:
        """Make a new archive root with a commented example collection; keep what is there."""
        try:
            for name in FOLDERS:
                (root / name).mkdir(parents=True, exist_ok=True)
            if not any((root / "seeds").glob("*.toml")):
                (root / "seeds" / "example.toml").write_text(EXAMPLE_COLLECTION, "utf-8")
        except OSError as fault:
            raise ProvenanceError(f"cannot write ({fault.strerror})", where=str(root)) from fault
        return cls(root, runtime)

    def recover(self) -> tuple[Recovered, ...]:
        """Finish the files of interrupted runs; a read-only archive is left as it is."""
        try:
            return recover(self.archive, self.metadata)
        except OSError:
            return ()

    def collections(self) -> tuple[Collection, ...]:
        """Return the collections of the seeds; raise `SeedsError` with all faults."""
        return read_collections(self.root / "seeds")

    def fetch(self, targets: Sequence[str] = (), settings: FetchSettings | None = None) -> Fetching:
        """Start a run; the documents are fetched while `outcomes` is read, and sealed at its end.

        Raises:
            SeedsError, UsageError: before anything is fetched.
        """
        settings = settings or FetchSettings()
        collections = self.collections()
        selection = select(collections, targets, alternates=settings.alternates)
        run = RunId(str(self.runtime.new_id()))
        outcomes = self._fetch(run, selection.errands, collections, tuple(targets), settings)
        return Fetching(run=run, outcomes=outcomes, adhoc=selection.adhoc)

    def _fetch(
        self,
        run: RunId,
        errands: tuple[Errand, ...],
        collections: tuple[Collection, ...],
        targets: tuple[str, ...],
        settings: FetchSettings,
    ) -> Iterator[Outcome]:
        history = read_history(self.archive, self.metadata)
        digests = {one.id: str(one.seeds_digest) for one in collections}
        interrupted = {
            name: history.interrupted(name, digests.get(name), targets)
            for name in {errand.collection for errand in errands}
        }

        def lines(name: CollectionId) -> list[tuple[str, str]]:
            resumed = interrupted.get(name, (None, frozenset()))[0]
            return [("resumes", resumed)] if resumed else []

        writing = self._files(
            run,
            "fetch",
            collections,
            targets=targets,
            settings=settings.lines(),
            operator=settings.operator,
            more=lines,
        )
        agent = f"provenance/{__version__}" + (
            f" (+{settings.contact})" if settings.contact else ""
        )
        spool = self.metadata / "spool"
        spool.mkdir(exist_ok=True)
        ports = FetchPorts(
            runtime=self.runtime,
            writer_of=writing.writer_of,
            originals=history.originals(),
            spool_dir=spool,
            user_agent=agent,
        )
        done = {name: had for name, (_, had) in interrupted.items()}
        yield from writing.through(fetch(run, errands, done, settings, ports))

    def _files(
        self, run: RunId, command: str, collections: tuple[Collection, ...], **more: Any
    ) -> RunFiles:
        return RunFiles(
            archive=self.archive,
            metadata=self.metadata,
            runtime=self.runtime,
            run=run,
            command=command,
            collections=collections,
            **more,
        )

    def add(
        self,
        paths: Sequence[Path],
        *,
        document: str | None = None,
        url: str | None = None,
        obtained_at: datetime | None = None,
        note: str | None = None,
        media_type: str | None = None,
    ) -> Iterator[Outcome]:
        """Add local files as captures of a document; without one, each is a document of `adhoc`."""
        run = RunId(str(self.runtime.new_id()))
        collections = self.collections()
        of = {each.id: each.collection for one in collections for each in one.documents}
        additions = []
        for path in paths:
            name = DocumentId(document) if document else adhoc_id(path.name)
            additions.append(
                Addition(
                    path=path,
                    collection=of.get(name, ADHOC),
                    document=name,
                    url=url,
                    obtained_at=obtained_at,
                    note=note,
                    media_type=media_type,
                )
            )
        if document and document not in of:
            raise UsageError(
                f"no document {document!r} in the seeds",
                hint="Write its entry into a seeds file first, or leave --document out.",
            )
        held = {
            (one.document, one.payload_digest)
            for one in read_history(self.archive, self.metadata).captures
        }
        writing = self._files(run, "add", collections)
        outcomes = add(
            run,
            tuple(additions),
            runtime=self.runtime,
            writer_of=writing.writer_of,
            held=lambda name, digest: (str(name), str(digest)) in held,
        )
        return writing.through(outcomes)

    def entry_to_keep(self, errand: Errand) -> str:
        """Return the TOML entry that puts a document fetched by address into a seeds file."""
        return to_toml(
            Document(
                id=errand.document,
                collection=errand.collection,
                title=errand.url or errand.document,
                role=Role.INDEPENDENT,
                publisher="unknown",
                publisher_kind=PublisherKind.PRIVATE,
                url=errand.url,
            )
        )

    def index(self, *, text: bool = True) -> IndexSummary:
        """Rebuild the index from WARC files and seeds."""
        return build(
            path=self.index_path,
            collections=self.collections(),
            surveys=survey_all(self.archive),
            derive=Deriver(self.archive).derive if text else None,
        )

    def index_check(self) -> Comparison:
        """Compare the index with what WARC files and seeds make; change nothing."""
        return check(
            path=self.index_path,
            collections=self.collections(),
            surveys=survey_all(self.archive),
            derive=Deriver(self.archive).derive,
        )

    def stale(self) -> tuple[str, ...]:
        """Return the names of WARC and seeds files that are not as the index had them."""
        with open_index(self.index_path) as connection:
            known = {(one.kind, one.name): str(one.sha256) for one in sources(connection)}
        listed = read_manifest(self.metadata)
        now = {("warc", path.name): str(listed.get(path.name)) for path in warc_paths(self.archive)}
        for path in sorted((self.root / "seeds").glob("*.toml")):
            raw = path.read_bytes() if path.is_file() else b""  # a fault that fetch and index tell
            now["seeds", f"seeds/{path.name}"] = from_hex(hashlib.sha256(raw).hexdigest())
        differing = {key for key in known.keys() | now.keys() if known.get(key) != now.get(key)}
        return tuple(sorted(name for _, name in differing))

    def verify(
        self,
        *,
        on_finding: Callable[[Finding], None],
        on_note: Callable[[Note], None],
        on_capture: Callable[[CaptureVerdict], None],
    ) -> Report:
        """Check the whole archive."""
        return verify_archive(
            self.root, on_finding=on_finding, on_note=on_note, on_capture=on_capture
        )

    def resolve(self, identifier: str) -> Resolved:
        """Return what an id or a prefix stands for."""
        with open_index(self.index_path) as connection:
            return resolve(connection, identifier)

    def documents(self, **filters: str | None) -> tuple[DocumentRow, ...]:
        """Return documents by collection, role, publisher or language."""
        with open_index(self.index_path) as connection:
            return documents(connection, **filters)  # type: ignore[arg-type]

    def document(self, name: str) -> DocumentRow | None:
        """Return one document."""
        with open_index(self.index_path) as connection:
            return document(connection, name)

    def newest_of(self, rows: Sequence[DocumentRow]) -> tuple[CaptureRow | None, ...]:
        """Return the newest version of each document, None where it has none."""
        with open_index(self.index_path) as connection:
            ids = (row.capture_id for row in rows)
            return tuple(capture(connection, one) if one else None for one in ids)

    def captures_of(self, name: str) -> tuple[CaptureRow, ...]:
        """Return the captures of one document."""
        with open_index(self.index_path) as connection:
            return captures_of(connection, name)

    def note_of(self, capture_id: str) -> dict[str, Any]:
        """Return the JSON note of one capture."""
        with open_index(self.index_path) as connection:
            return dict(note_of(connection, capture_id))

    def links(self, row: CaptureRow) -> tuple[LinkRow, ...]:
        """Return the addresses that a capture leads to, and what is archived of them."""
        with open_index(self.index_path) as connection:
            return links_of(connection, row)

    def search(self, words: str, *, limit: int = 20) -> tuple[SearchHit, ...]:
        """Return the documents that have the words, best first."""
        return search(self.index_path, words, limit=limit)

    def cite(
        self, identifier: str, form: CitationFormat, locator: str | None = None
    ) -> tuple[Citation, str]:
        """Return the citation of a capture with content, as values and as text."""
        with open_index(self.index_path) as connection:
            found = resolve(connection, identifier).capture
            row = citation(connection, found.capture_id) if found else None
        if row is None or row.content_id is None:
            raise UsageError(
                f"{identifier} has no content to cite", hint="`provenance show` says why."
            )
        cited = Citation(
            document=row.document,
            collection=row.collection,
            title=row.title or row.text_title or row.url or str(row.document),
            title_original=row.title_original,
            author=row.author or row.text_author,
            publisher=row.publisher,
            published=row.published or row.text_published,
            language=row.language or row.text_language,
            media_type=row.media_type,
            url=row.url,
            final_url=row.final_url,
            captured_at=row.captured_at,
            content_id=row.content_id,
            capture_id=row.capture_id,
            outcome=row.outcome.value,
            obtained_by_hand=row.obtained == "added",
            locator=locator,
        )
        return cited, render(cited, form)

    def site(self) -> Any:
        """Return a Datasette over the index, with the pages."""
        from provenance.index import datasette_metadata
        from provenance.web.site import create_site

        with open_index(self.index_path):
            pass
        return create_site(self.index_path, ArchiveSource(self), metadata=datasette_metadata())


class ArchiveSource:
    """What the pages get from the hall: bytes, exchanges, citations, search expressions."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def content(self, capture_id: str) -> Iterator[bytes]:
        """Yield the content of a capture; a revisit's is that of the capture it refers to."""
        with open_index(self._archive.index_path) as connection:
            row = resolve(connection, capture_id).capture
            if row is not None and row.record_type == "revisit" and row.content_id is not None:
                same = captures(connection, content_id=row.content_id)
                row = next((one for one in same if one.record_type != "revisit"), row)
        if row is None:
            raise UsageError(f"{capture_id} has no content")
        yield from read_content(self._archive.archive / row.warc, row.offset, row.ordinal)

    def exchange(self, capture_id: str) -> Exchange | None:
        """Return what a capture's records hold beside the content."""
        with open_index(self._archive.index_path) as connection:
            row = resolve(connection, capture_id).capture
            if row is None:
                return None
            note = connection.execute(
                "SELECT note FROM capture WHERE capture_id = ?", (row.capture_id,)
            ).fetchone()[0]
            asked = connection.execute(
                "SELECT offset, ordinal, type FROM record WHERE warc = ? AND offset < ? "
                "ORDER BY offset DESC LIMIT 1",
                (row.warc, row.offset),
            ).fetchone()
        path = self._archive.archive / row.warc
        if not path.is_file():
            return None
        request = None
        if asked is not None and asked[2] == "request" and row.obtained == "fetched":
            with contextlib.suppress(ProvenanceError):
                request = read_head(path, asked[0], asked[1])[1] or None
        answer = read_head(path, row.offset, row.ordinal)[1] or None
        return Exchange(
            request_head=request if row.record_type in ("response", "revisit") else None,
            response_head=answer,
            note=note,
            command=cut_out_command(row),
        )

    def cite(self, capture_id: str, form: str, locator: str | None) -> str:
        """Return a citation in one of its forms."""
        return self._archive.cite(capture_id, CitationFormat(form), locator)[1]

    def fts_query(self, words: str) -> str:
        """Return the FTS5 expression for a person's words."""
        return fts_query(words)


def cut_out_command(row: CaptureRow) -> str:
    """Return the shell line that cuts the capture's record out and prints its capture id."""
    file = shlex.quote(f"archive/{row.warc}")
    cut = f"tail -c +{row.offset + 1} {file} | head -c {row.length}"
    return f"{cut} | gzip -dc | head -c -4 | sha256sum"
