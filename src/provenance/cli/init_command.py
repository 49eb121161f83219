"""`provenance init`: a new archive root."""

from __future__ import annotations

from pathlib import Path

import click

from provenance.archive import Archive
from provenance.cli.opening import json_option
from provenance.cli.printing import safe, say, write_object


@click.command("init")
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@json_option
@click.pass_context
def command(ctx: click.Context, directory: Path | None, as_json: bool) -> None:
    """Make a new archive root in DIRECTORY, with a commented example collection."""
    root = directory or ctx.obj
    Archive.init(root)
    if as_json:
        write_object("root", {"path": str(root)})
    else:
        say(f"{safe(root)} is an archive root. Describe your documents in seeds/example.toml,")
        say("then run `provenance fetch` and `provenance index` there.")
