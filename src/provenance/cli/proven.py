"""Tell what a proof of one capture shows: the part of `verify` that needs no archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from provenance.cli.printing import safe, write_object
from provenance.errors import StorageError

_LIMIT = 1 << 22


def tell_proof(
    proof: Path, record: Path | None, checkpoints: Sequence[Path], *, as_json: bool
) -> None:
    """Check a proof against the capture's records and the checkpoint that is trusted, and tell.

    Raises:
        ProofError: it does not hold, or is of other records or under another checkpoint.
    """
    from provenance.proving import check_proof

    if len(checkpoints) > 1:
        raise click.UsageError("A proof is under one checkpoint; give --checkpoint once.")
    proven = check_proof(
        _read(proof),
        where=str(proof),
        capture=record,
        checkpoint=_read(checkpoints[0]) if checkpoints else None,
    )
    if as_json:
        write_object("proof", proven)
        return
    click.echo(f"The log {safe(proven.origin)} of {proven.size} leaves, root {proven.root},")
    click.echo(f"covers the capture {proven.capture_id} as leaf {proven.index}.")
    if proven.records:
        click.echo(f"The file has its records as they were: {', '.join(proven.records)}.")
    else:
        click.echo("Not looked at: its bytes; give them with --record.")
    if not proven.expected_checkpoint:
        click.echo("Not proved: that this is the log you mean; give its checkpoint (--checkpoint).")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(_LIMIT)
    except OSError as fault:
        raise StorageError(f"cannot read ({fault.strerror})", where=str(path)) from fault
