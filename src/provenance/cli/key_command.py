"""`provenance key`: the operator's key, which signs checkpoints. It never lies in an archive."""

from __future__ import annotations

from pathlib import Path

import click

from provenance.cli.printing import safe, say


@click.group("key")
def command() -> None:
    """The operator's key: make one, or show its public line."""


@command.command("new")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--name", required=True, help="Who signs: an address of yours without its scheme, say."
)
def new(path: Path, name: str) -> None:
    """Make a new key in FILE, for its owner's eyes alone, and print its public line.

    Give the public line to whoever verifies, by another way than the archive.
    """
    from provenance.log.keyfile import write_key_file
    from provenance.log.note import SigningKey
    from provenance.runtime import system_runtime

    key = SigningKey(name=name, seed=system_runtime().random_bytes(32))
    write_key_file(path, key)
    say(f"The key is in {safe(str(path))}; keep a copy of it where nobody else reads.")
    click.echo(key.verifier.line)


@command.command("show")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
def show(path: Path) -> None:
    """Print the public line of the key in FILE."""
    from provenance.log.keyfile import read_key_file

    click.echo(read_key_file(path).verifier.line)
