"""`provenance publish`: the pages as files, for any host of files."""

from __future__ import annotations

from pathlib import Path

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import safe, say, write_object
from provenance.cli.progress import counted


@click.command("publish")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--with-contents/--no-contents",
    default=False,
    help="Whether the documents, and the whole of their texts, are in it (they are not).",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Where the copy will stand. Without it, it belongs at the root of a host, and has no "
    "feed, no site map and no JSON-LD.",
)
@click.option("--title", metavar="TEXT", help="What the site is called (Provenance).")
@click.option(
    "--with-database",
    is_flag=True,
    help="Put the index in as an SQLite file; only with the contents, for it has every text.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    with_contents: bool,
    base_url: str | None,
    title: str | None,
    with_database: bool,
    as_json: bool,
) -> None:
    """Write the pages into DIRECTORY as files that any host of files can serve.

    A page has the address that it has under `provenance serve`. DIRECTORY is new, empty, or what
    this command wrote earlier, and is replaced as a whole.
    """
    archive = open_archive(ctx, reads_index=True)
    with counted("files") as tell:
        made = archive.publish(
            directory,
            contents=with_contents,
            base_url=base_url,
            title=title,
            database=with_database,
            tell=tell,
        )
    if made.left_out:
        say(f"left out: {made.left_out} documents or collections whose ids are no names of files.")
    if as_json:
        write_object("publication", made)
        return
    say(f"{made.pages} pages, {made.files} files, {made.bytes / 1e6:.1f} MB in {safe(made.path)}")
    say(f"SHA-256 of its manifest: {made.digest}")
