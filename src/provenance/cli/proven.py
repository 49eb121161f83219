"""Tell what a proof of one capture shows: the part of `verify` that needs no archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from provenance.cli.printing import safe, write_object


def tell_proof(
    proof: Path,
    record: Path | None,
    checkpoints: Sequence[Path],
    operator_key: str | None,
    witness_keys: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Check a proof against the capture's records and the checkpoint that is trusted, and tell.

    Raises:
        ProofError: it does not hold, or is of other records or under another checkpoint.
    """
    from provenance.log.folder import read_given
    from provenance.log.keyfile import public_witness_key
    from provenance.proving import check_proof

    if len(checkpoints) > 1:
        raise click.UsageError("A proof is under one checkpoint; give --checkpoint once.")
    proven = check_proof(
        read_given(proof),
        where=str(proof),
        capture=record,
        operator_key=operator_key,
        witness_keys=[public_witness_key(each) for each in witness_keys],
        checkpoint=read_given(checkpoints[0]) if checkpoints else None,
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
    if proven.signed:
        click.echo("The key that you gave signed for that log.")
    for each in proven.witnesses:
        click.echo(
            f"The witness {safe(each.witness)} cosigned it at {each.cosigned_at}: "
            "it saw a log that only grew, and no document."
        )
    if not proven.expected_checkpoint:
        click.echo("Not proved: that this is the log you mean; give its checkpoint (--checkpoint).")
