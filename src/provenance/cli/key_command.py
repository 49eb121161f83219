"""`provenance key`: keys that sign checkpoints or cosign them. They never lie in an archive."""

from __future__ import annotations

from pathlib import Path

import click

from provenance.cli.printing import safe, say


@click.group("key")
def command() -> None:
    """An operator's or a witness' key: make one, or show its public line."""


@command.command("new")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--name", required=True, help="Who signs: an address of yours without its scheme, say."
)
@click.option(
    "--witness",
    is_flag=True,
    help="A key to cosign other people's checkpoints with (`provenance witness`).",
)
def new(path: Path, name: str, witness: bool) -> None:
    """Make a new key in FILE, for its owner's eyes alone, and print its public line.

    Give the public line to whoever verifies, by another way than the archive.
    """
    from provenance.log.checkpoint import CosigningKey
    from provenance.log.keyfile import write_key_file
    from provenance.log.note import SigningKey
    from provenance.runtime import system_runtime

    made = CosigningKey if witness else SigningKey
    key = made(name=name, seed=system_runtime().random_bytes(32))
    write_key_file(path, key)
    say(f"The key is in {safe(str(path))}; keep a copy of it where nobody else reads.")
    click.echo(key.verifier.line)


@command.command("show")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def show(path: Path) -> None:
    """Print the public line of the key in FILE."""
    from provenance.log.keyfile import read_any_key_file

    click.echo(read_any_key_file(path).verifier.line)
