"""`provenance list`: the documents."""

from __future__ import annotations

import click

from provenance.cli.cards import counts_of, listing
from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import put, say, terminal_columns, write_document


@click.command("list")
@click.option("--collection", metavar="ID", help="Only the documents of this collection.")
@click.option(
    "--role",
    type=click.Choice(["source", "official", "independent"]),
    help="Only documents that play this part.",
)
@click.option("--language", metavar="TAG", help="Only documents in this language.")
@json_option
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **filters: str | None) -> None:
    """List the documents, each with its role, number of versions and last outcome."""
    archive = open_archive(ctx, reads_index=True)
    rows = archive.documents(**filters)
    if as_json:
        for row, newest in zip(rows, archive.newest_of(rows), strict=True):
            write_document(row, newest)
        return
    put(listing(rows, terminal_columns()))
    say(counts_of(rows) if rows else "No documents.")
