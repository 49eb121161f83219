"""`provenance list`: the documents."""

from __future__ import annotations

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import table, write_document


@click.command("list")
@click.option("--collection", metavar="ID")
@click.option("--role", type=click.Choice(["source", "official", "independent"]))
@click.option("--language", metavar="TAG")
@json_option
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **filters: str | None) -> None:
    """List the documents, each with its newest version and its last outcome."""
    archive = open_archive(ctx, reads_index=True)
    rows = archive.documents(**filters)
    if as_json:
        for row, newest in zip(rows, archive.newest_of(rows), strict=True):
            write_document(row, newest)
        return
    table(
        [("document", "role", "versions", "last outcome", "title")]
        + [
            (
                row.document,
                row.role or "",
                str(row.versions),
                row.last_outcome.value if row.last_outcome else "wanted" if not row.url else "",
                row.title or row.text_title or row.url or "",
            )
            for row in rows
        ]
    )
