"""What an archive commits to, and what others say of it: the part of the hall that keeps the log.

A method imports what it needs itself, as in the hall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.checkpointing import Added
    from provenance.dating import Dated, Promised
    from provenance.proving import Consistency
    from provenance.runtime import Runtime
    from provenance.witnessing import Witnessed


class Commitments:
    """The log of the archive at `root`, whose `metadata` folder keeps it."""

    root: Path
    archive: Path
    metadata: Path
    runtime: Runtime

    def checkpoint(
        self,
        *,
        origin: str | None = None,
        key_file: Path | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Added:
        """Add what was sealed to the log, and make a checkpoint over all of it, signed or not."""
        from provenance.checkpointing import add_checkpoint
        from provenance.log.keyfile import read_key_file

        return add_checkpoint(
            self.archive,
            self.metadata,
            self.runtime,
            origin=origin,
            key=read_key_file(key_file, root=self.root) if key_file else None,
            progress=progress,
        )

    def timestamp(self, url: str, *, tsa_ca: Path | None = None) -> Dated:
        """Have the newest checkpoint dated by the authority at `url`, and keep its answer."""
        from provenance.dating import add_stamp

        return add_stamp(self.metadata, self.runtime, url, anchors=tsa_ca)

    def promise(self, url: str) -> Promised:
        """Have the OpenTimestamps calendar at `url` take the newest checkpoint in."""
        from provenance.dating import add_promise

        return add_promise(self.metadata, self.runtime, url)

    def complete_promises(
        self, *, calendars: Sequence[str] = (), allow_private: bool = False
    ) -> Iterator[Promised]:
        """Ask the calendars what became of what they promised, and keep what has grown.

        `calendars` are asked where a proof names them, beside those that are listed.
        """
        from provenance.dating import complete_promises

        return complete_promises(
            self.metadata, self.runtime, calendars=calendars, allow_private=allow_private
        )

    def witness(self, url: str, witness_key: str) -> Witnessed:
        """Have the newest checkpoint cosigned by the witness at `url`, and keep the cosignature.

        `witness_key` is the witness' public key line, or the name of a file with it.
        """
        from provenance.log.keyfile import public_witness_key
        from provenance.witnessing import add_cosignature

        return add_cosignature(self.metadata, self.runtime, url, public_witness_key(witness_key))

    def keep_cosignature(self, answer: bytes, witness_key: str) -> Witnessed:
        """Keep the signature lines that a witness handed over, with the checkpoint they are on."""
        from provenance.log.keyfile import public_witness_key
        from provenance.witnessing import keep_answer

        key = public_witness_key(witness_key)
        return keep_answer(self.metadata, self.runtime, answer, key)

    def consistency(self, old: bytes, *, where: str) -> Consistency:
        """Return the proof that the log begins with all that the checkpoint `old` covers."""
        from provenance.proving import consistency_with

        return consistency_with(self.metadata, old, where=where)
