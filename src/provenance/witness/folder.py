"""Keep what a witness knows in a folder of its own, so that no kill and no race takes it back.

    logs/<SHA-256 of the origin>                 a log: its keys, and what was cosigned last
    conflicts/<SHA-256 of the origin>/<SHA-256>  `sent`, a signed checkpoint, which does not go on
                                                 from `cosigned`, what had been cosigned by then
    .lock                                        held while a log is judged and written

A log that is not there is not known, so that what is lost or damaged makes the witness refuse, and
never begin anew. A file is replaced as a whole, and is on disk before anybody gets a signature.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provenance.errors import ProvenanceError, StorageError, UsageError
from provenance.log.folder import LogFolder, write_whole
from provenance.log.keyfile import refuse_inside
from provenance.log.note import VerifierKey, format_note
from provenance.log.strict import shown
from provenance.log.watched import Watched, format_watched, parse_watched, watch, with_key
from provenance.warc.manifest import locked, sync_directory

_STATE = re.compile(r"[0-9a-f]{64}\Z")

MAX_CONFLICTS = 16
"""Checkpoints of one log that are kept as evidence."""


class WitnessFolder:
    """The folder of a witness.

    Raises:
        UsageError: it lies inside an archive. An archive is copied and restored, and a witness that
            is set back to an older state cosigns a second history.
    """

    def __init__(self, path: Path) -> None:
        refuse_inside(path / "logs", None, what="what a witness knows")
        self.path = path

    def add(self, origin: str, key: VerifierKey) -> bool:
        """Know a log from now on, or one more key of it; say whether anything was new.

        Raises:
            UsageError: no log is called this, or it has too many keys.
            LogFormatError: what is known of it is damaged.
            StorageError: the disk refused; what was known still is.
        """
        (self.path / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
        for made in (self.path, self.path.parent):
            sync_directory(made)
        with locked(self.path):
            before = self.find(origin)
            after = watch(origin, key) if before is None else with_key(before, key)
            if after != before:
                self._write(after)
            return after != before

    def find(self, origin: str) -> Watched | None:
        """Return what is known of a log, None where it is not known.

        Raises:
            LogFormatError: it is damaged.
            StorageError: it cannot be read.
        """
        path = self._place(origin)
        if not path.parent.is_dir():
            raise UsageError(
                "no folder of a witness",
                where=str(self.path),
                hint="`provenance witness add` makes it, with the first log.",
            )
        return self._read(path) if path.exists() else None

    def logs(
        self, *, on_fault: Callable[[ProvenanceError], None] | None = None
    ) -> Iterator[Watched]:
        """Yield every log that is known, by the hash of its origin.

        What cannot be read goes to `on_fault`, and the others go on; without it the first is
        raised.

        Raises:
            LogFormatError, StorageError, UsageError: as for `find`.
        """
        self.find("")
        for path in sorted((self.path / "logs").iterdir()):
            if path.name.endswith(".new"):
                continue
            try:
                yield self._read(path)
            except ProvenanceError as fault:
                if on_fault is None:
                    raise
                on_fault(fault)

    @contextmanager
    def changing(self, origin: str) -> Iterator[tuple[Watched | None, Callable[[Watched], None]]]:
        """Hold a log: what is known of it, and what writes it anew. Nobody else changes it then.

        Raises:
            LogFormatError, StorageError, UsageError: as for `find`.
        """
        with locked(self.path):
            yield self.find(origin), self._write

    def keep_conflict(self, cosigned: Watched, sent: bytes, *, proved: bool) -> None:
        """Keep a signed checkpoint that is not known to go on from what was cosigned.

        It is evidence by itself, in `conflicts/`, where it is `proved`: another tree of the same
        size. Else only the proof that came with it failed, and it lies in `unproved/`: anybody can
        send such a one, and none takes a place from evidence.

        Raises:
            StorageError: the disk refused.
        """
        place = (
            self.path / ("conflicts" if proved else "unproved") / self._place(cosigned.origin).name
        )
        kept = place / hashlib.sha256(sent).hexdigest()
        full = place.is_dir() and len(list(place.iterdir())) >= MAX_CONFLICTS
        if cosigned.latest is None or (kept / "sent").exists() or (full and not kept.exists()):
            return
        for name, raw in (("cosigned", format_note(cosigned.latest)), ("sent", sent)):
            write_whole(kept / name, raw, what="What the witness knows")

    def _place(self, origin: str) -> Path:
        name = hashlib.sha256(origin.encode("utf-8", "surrogateescape")).hexdigest()
        return self.path / "logs" / name

    def _read(self, path: Path) -> Watched:
        # What is no plain file is refused, and no pipe waited for.
        raw = LogFolder.at(path.parent).read(path.name) if _STATE.match(path.name) else None
        if raw is None:
            raise StorageError(
                "no file of a witness", where=str(path), hint="Move it out of the folder."
            )
        watched = parse_watched(raw, where=str(path))
        if self._place(watched.origin) != path:
            raise StorageError(
                "a file of another log",
                where=str(path),
                expected=self._place(watched.origin).name,
                found=shown(watched.origin),
                hint="It was renamed or copied; see docs/log.md before putting it back.",
            )
        return watched

    def _write(self, watched: Watched) -> None:
        write_whole(
            self._place(watched.origin), format_watched(watched), what="What the witness knows"
        )
