"""Hold the WARC files of one run: a writer for each collection, framed by the run's own records."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from provenance import __version__
from provenance.dates import format_instant
from provenance.errors import ProvenanceError
from provenance.holdings import RUN_PROFILE
from provenance.model import Collection, CollectionId, Outcome, RunId
from provenance.runtime import Runtime
from provenance.warc.draft import run_draft, warcinfo_draft
from provenance.warc.writer import ROLL_SIZE, WarcWriter

SOFTWARE = f"provenance/{__version__}"

ALREADY_DONE = "already_done"
"""The reason of an outcome that is skipped because the interrupted run has the document."""


class RunFiles:
    """The WARC writers of one run, one for each collection, and the records that frame them."""

    def __init__(
        self,
        *,
        archive: Path,
        metadata: Path,
        runtime: Runtime,
        run: RunId,
        command: str,
        collections: tuple[Collection, ...],
        targets: tuple[str, ...] = (),
        settings: tuple[tuple[str, str], ...] = (),
        operator: str | None = None,
        roll_size: int | None = None,
        log_head: str | None = None,
        more: Callable[[CollectionId], list[tuple[str, str]]] = lambda _name: [],
    ) -> None:
        self._archive = archive
        self._metadata = metadata
        self._runtime = runtime
        self._run = run
        self._command = command
        self._seeds = {one.id: one for one in collections}
        self._targets = targets
        self._settings = settings
        self._operator = operator
        self._roll_size = roll_size or ROLL_SIZE
        self._log_head = log_head
        self._more = more
        self._started = format_instant(runtime.now())
        self._writers: dict[CollectionId, WarcWriter] = {}

    def writer_of(self, name: CollectionId) -> WarcWriter:
        """Return the collection's writer, made when it is first asked for."""
        # setdefault is atomic, and a writer that nobody writes to opens no file.
        return self._writers.setdefault(name, self._new_writer(name))

    def _new_writer(self, name: CollectionId) -> WarcWriter:
        lines = [
            ("run", self._run),
            ("collection", name),
            ("command", self._command),
            ("started-at", self._started),
        ]
        if self._operator:
            lines.append(("operator", " ".join(self._operator.split())))
        if name in self._seeds:
            lines.append(("seeds-file", self._seeds[name].seeds_file))
            lines.append(("seeds-sha256", self._seeds[name].seeds_digest.removeprefix("sha256:")))
        if self._targets:
            lines.append(("targets", " ".join(self._targets)))
        if self._log_head:
            lines.append(("log-checkpoint", self._log_head))
        lines += [*self._more(name), *self._settings]
        runtime = self._runtime
        return WarcWriter(
            archive=self._archive,
            metadata=self._metadata,
            collection=name,
            runtime=runtime,
            roll_size=self._roll_size,
            first_records=lambda file: (
                warcinfo_draft(self._run, file, format_instant(runtime.now()), lines, SOFTWARE),
            ),
        )

    def through(
        self, outcomes: Iterator[Outcome], *, complete: Callable[[], bool] = lambda: True
    ) -> Generator[Outcome, None, None]:
        """Yield the outcomes; at the end close every file with its run record and seal it.

        A run that is stopped, or is not `complete` when its outcomes end, seals its files without
        that record: it is interrupted. A run that found everything done by an interrupted one
        writes that record all the same, so that the next begins anew.
        """
        counts: dict[CollectionId, dict[str, int]] = {}
        completed: set[CollectionId] = set()
        try:
            with closing(outcomes):  # type: ignore[type-var]
                for outcome in outcomes:
                    of = counts.setdefault(outcome.collection, {})
                    of[outcome.outcome.value] = of.get(outcome.outcome.value, 0) + 1
                    if outcome.reason == ALREADY_DONE:
                        completed.add(outcome.collection)
                    yield outcome
            if not complete():
                self._seal_what_stands()
                return
            for name, of in counts.items():
                writer = self.writer_of(name)
                if writer.name or name in completed:
                    self._end(name, writer, of)
        except BaseException:
            self._seal_what_stands()
            raise

    def _end(self, name: CollectionId, writer: WarcWriter, outcomes: dict[str, int]) -> None:
        now = format_instant(self._runtime.now())
        note: dict[str, object] = {
            "profile": RUN_PROFILE,
            "run": self._run,
            "collection": name,
            "state": "complete",
            "ended_at": now,
            "outcomes": {word: count for word, count in outcomes.items() if word != "skipped"},
        }
        with writer.group() as group:
            group.add(run_draft(self._run, name, now, note))
        writer.seal()

    def _seal_what_stands(self) -> None:
        for writer in self._writers.values():
            try:
                writer.close()
            except (ProvenanceError, OSError):
                writer.abandon()
