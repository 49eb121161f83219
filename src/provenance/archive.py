"""The hall: an archive root with everything that can be done in it. This is the Python API.

A method imports what it needs itself: each command loads only what it is about to use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provenance.commitments import Commitments
from provenance.errors import NotARootError, ProvenanceError, UsageError
from provenance.exhibition import Exhibition
from provenance.runtime import Runtime, system_runtime

if TYPE_CHECKING:
    from provenance.fetch import Errand, FetchPorts, FetchSettings, Progress
    from provenance.index import (
        Comparison,
        IndexSummary,
    )
    from provenance.model import Collection, Outcome, RunId
    from provenance.run_files import RunFiles
    from provenance.timestamps.block import BlockHeader
    from provenance.verify import CaptureVerdict, Finding, Note, Report
    from provenance.verify import Progress as ReadProgress
    from provenance.warc.history import History
    from provenance.warc.recovery import Recovered

FOLDERS = ("seeds", "archive", "metadata")
INDEX = "provenance.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """A run under way: its id, its outcomes as they come, and documents outside the seeds.

    `stop()` ends it early, from another thread or a signal handler: what is being fetched gets a
    moment, files are sealed, and the next fetch of the same seeds goes on from there. `complete()`
    tells, after the last outcome, whether every document had one.
    """

    run: RunId
    outcomes: Generator[Outcome, None, None]
    adhoc: tuple[Errand, ...]
    stop: Callable[[], None]
    progress: Callable[[], Progress]
    complete: Callable[[], bool]


class Archive(Exhibition, Commitments):
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
        self.metadata = root / "metadata"
        self.archive = root / "archive"
        super().__init__(self.metadata / INDEX)

    @classmethod
    def init(cls, root: Path, runtime: Runtime | None = None) -> Archive:
        """Make a new archive root with a commented example collection; keep what is there."""
        from provenance.seeds import EXAMPLE_COLLECTION

        try:
            for name in FOLDERS:
                (root / name).mkdir(parents=True, exist_ok=True)
            if not any((root / "seeds").glob("*.toml")):
                example = root / "seeds" / "example.toml"
                fresh = example.with_name("example.toml.new")
                fresh.write_text(EXAMPLE_COLLECTION, "utf-8")
                fresh.replace(example)
        except OSError as fault:
            raise ProvenanceError(
                f"cannot write ({fault.strerror})",
                where=fault.filename or str(root),
                hint="Make room or allow writing, and run `provenance init` again.",
            ) from fault
        return cls(root, runtime)

    def recover(self) -> tuple[Recovered, ...]:
        """Finish the files of interrupted runs; a read-only archive is left as it is."""
        from provenance.warc.recovery import recover

        try:
            return recover(self.archive, self.metadata)
        except OSError:
            return ()

    def collections(self) -> tuple[Collection, ...]:
        """Return the collections of the seeds; raise `SeedsError` with all faults."""
        from provenance.seeds import read_collections

        return read_collections(self.root / "seeds")

    def _each_collection(self) -> Iterator[Collection]:
        """Yield the collections, read when the first is asked for; none is kept."""
        left = list(reversed(self.collections()))
        while left:
            yield left.pop()

    def fetch(
        self,
        targets: Sequence[str] = (),
        settings: FetchSettings | None = None,
        *,
        roll_size: int | None = None,
    ) -> Fetching:
        """Start a run; the documents are fetched while `outcomes` is read, and sealed at its end.

        A WARC file that has `roll_size` bytes (1 GiB) is sealed, and the next begun.

        Raises:
            SeedsError, UsageError: before anything is fetched.
        """
        from provenance.fetch import FetchRun, FetchSettings
        from provenance.fetch.selection import select
        from provenance.model import RunId
        from provenance.parallel import apart
        from provenance.seeds import each_collection
        from provenance.warc.history import read_history

        settings = settings or FetchSettings()
        # Very many seeds take more memory to read than to fetch; it is given back with a process.
        selection = apart(
            lambda: select(
                each_collection(self.root / "seeds"), targets, alternates=settings.alternates
            )
        )
        collections = selection.collections
        run = RunId(str(self.runtime.new_id()))
        history = read_history(self.archive, self.metadata)
        digests = {one.id: str(one.seeds_digest) for one in collections}
        interrupted = {
            name: history.interrupted(name, digests.get(name), tuple(targets))
            for name in selection.errands.collections()
        }
        resumed = {name: earlier for name, (earlier, _) in interrupted.items() if earlier}
        writing = self._files(
            run,
            "fetch",
            collections,
            targets=tuple(targets),
            settings=settings.lines(),
            operator=settings.operator,
            roll_size=roll_size,
            more=lambda name: [("resumes", resumed[name])] if name in resumed else [],
        )
        fetching = FetchRun(
            run,
            selection.errands,
            {name: had for name, (_, had) in interrupted.items()},
            settings,
            self._ports(history, writing, settings),
        )
        return Fetching(
            run=run,
            outcomes=writing.through(fetching.outcomes(), complete=lambda: fetching.complete),
            adhoc=selection.adhoc,
            stop=fetching.stop,
            progress=fetching.progress,
            complete=lambda: fetching.complete,
        )

    def _ports(self, history: History, writing: RunFiles, settings: FetchSettings) -> FetchPorts:
        from provenance import __version__
        from provenance.fetch import FetchPorts

        spool = self.metadata / "spool"
        spool.mkdir(exist_ok=True)
        originals = history.originals()
        return FetchPorts(
            runtime=self.runtime,
            writer_of=writing.writer_of,
            originals=originals,
            known=history.known(originals) if settings.conditional else {},
            spool_dir=spool,
            user_agent=settings.user_agent(f"provenance/{__version__}"),
        )

    def _files(
        self, run: RunId, command: str, collections: tuple[Collection, ...], **more: Any
    ) -> RunFiles:
        from provenance.log.folder import log_head
        from provenance.run_files import RunFiles

        return RunFiles(
            archive=self.archive,
            metadata=self.metadata,
            runtime=self.runtime,
            run=run,
            command=command,
            collections=collections,
            log_head=log_head(self.metadata),
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
    ) -> Generator[Outcome, None, None]:
        """Add local files as captures of a document; without one, each is a document of `adhoc`."""
        from provenance.addition import Addition, add
        from provenance.fetch.selection import adhoc_id
        from provenance.model import ADHOC, DocumentId, RunId
        from provenance.warc.history import read_history

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
        """Return the TOML entry, to be completed, of a document fetched by its address."""
        from provenance.seeds import to_complete

        return to_complete(errand.document, errand.url or "")

    def index(self, *, text: bool = True) -> IndexSummary:
        """Rebuild the index from WARC files and seeds."""
        from provenance.index import build
        from provenance.indexing import Deriver, survey_all

        surveys = survey_all(self.archive)  # at work while the seeds are read
        return build(
            path=self.index_path,
            collections=self._each_collection(),
            surveys=surveys,
            derive=Deriver(self.archive).derive if text else None,
        )

    def index_check(self) -> Comparison:
        """Compare the index with what WARC files and seeds make; change nothing."""
        from provenance.index import check
        from provenance.indexing import Deriver, survey_all

        return check(
            path=self.index_path,
            collections=self._each_collection(),
            surveys=survey_all(self.archive),
            derive=Deriver(self.archive).derive,
        )

    def stale(self) -> tuple[str, ...]:
        """Return the names of WARC and seeds files that are not as the index had them."""
        from provenance.digest import from_hex
        from provenance.index import open_index, source_files
        from provenance.indexing import warc_paths
        from provenance.warc.manifest import read_manifest

        with open_index(self.index_path) as connection:
            known = {(one.kind, one.name): str(one.sha256) for one in source_files(connection)}
        listed = read_manifest(self.metadata)
        now = {("warc", path.name): str(listed.get(path.name)) for path in warc_paths(self.archive)}
        for path in sorted((self.root / "seeds").glob("*.toml")):
            raw = path.read_bytes() if path.is_file() else b""  # a fault that fetch and index tell
            now["seeds", f"seeds/{path.name}"] = from_hex(hashlib.sha256(raw).hexdigest())
        differing = {key for key in known.keys() | now.keys() if known.get(key) != now.get(key)}
        return tuple(sorted(name for _, name in differing))

    def verify(
        self,
        targets: Sequence[str] = (),
        *,
        on_finding: Callable[[Finding], None],
        on_note: Callable[[Note], None],
        on_capture: Callable[[CaptureVerdict], None] | None = None,
        jobs: int | None = None,
        checkpoints: Sequence[Path] = (),
        against: Sequence[Path] = (),
        tsa_ca: Path | None = None,
        bitcoin_headers: Sequence[BlockHeader] = (),
        operator_key: str | None = None,
        witness_keys: Sequence[str] = (),
        on_progress: Callable[[ReadProgress], None] | None = None,
    ) -> Report:
        """Check the targets, or the whole archive, in `jobs` processes; None: one a processor.

        A target is a WARC, ARC or WACZ file, an id, a citation, or a file with the content of a
        capture. `checkpoints` are files that were kept elsewhere, `tsa_ca` the certificates trusted
        to date, `bitcoin_headers` those of blocks that the caller knows to be in the chain,
        `operator_key` a verifier key line, `witness_keys` those of witnesses, and `against` the
        roots of other archives, which are for the whole archive alone. `on_progress` is told how
        far the reading is.

        Raises:
            UsageError: a target is nothing that is known; nothing was checked.
        """
        if targets:
            from provenance.verify.asked import verify_targets

            return verify_targets(
                targets,
                root=self.root,
                index=self.index_path,
                on_finding=on_finding,
                on_note=on_note,
                on_capture=on_capture,
                jobs=jobs,
                checkpoints=checkpoints,
                tsa_ca=tsa_ca,
                operator_key=operator_key,
                witness_keys=witness_keys,
                bitcoin_headers=bitcoin_headers,
                on_progress=on_progress,
            )
        from provenance.verify import verify_archive

        return verify_archive(
            self.root,
            on_finding=on_finding,
            on_note=on_note,
            on_capture=on_capture,
            jobs=jobs,
            checkpoints=checkpoints,
            against=against,
            tsa_ca=tsa_ca,
            bitcoin_headers=bitcoin_headers,
            operator_key=operator_key,
            witness_keys=witness_keys,
            on_progress=on_progress,
        )

    def proof(self, identifier: str) -> bytes:
        """Return the proof that the log covers a capture: the bytes of a `.tlog-proof` file."""
        from provenance.errors import UnknownIdError
        from provenance.proving import proof_of

        found = self.resolve(identifier)
        if found.capture is None or found.capture.capture_id is None:
            raise UnknownIdError(
                f"{identifier!r} has no capture", hint="`provenance list` shows what there is."
            )
        return proof_of(self.metadata, found.capture.capture_id)
