"""`provenance add`: local files into the archive."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.outcomes import report_outcomes
from provenance.cli.values import Parsed, content_type
from provenance.dates import parse_instant
from provenance.seeds import parse_address


@click.command("add")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--document", metavar="ID", help="The document that the files are captures of.")
@click.option(
    "--url",
    metavar="URL",
    type=Parsed("URL", parse_address),
    help="The address that they were obtained from.",
)
@click.option(
    "--obtained-at",
    metavar="TIME",
    type=Parsed("TIME", parse_instant),
    help="When, such as 2021-02-22T09:30:00Z; else now.",
)
@click.option("--note", metavar="TEXT", help="How and by whom they were obtained.")
@click.option(
    "--media-type",
    metavar="TYPE",
    type=Parsed("TYPE", content_type),
    help="Else the file name tells.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    document: str | None,
    url: str | None,
    obtained_at: datetime | None,
    note: str | None,
    media_type: str | None,
    as_json: bool,
) -> None:
    """Add each FILE as a capture: a page saved from a browser, a document had by mail."""
    archive = open_archive(ctx)
    outcomes = archive.add(
        files,
        document=document,
        url=url,
        obtained_at=obtained_at,
        note=note,
        media_type=media_type,
    )
    with closing(outcomes):
        status = report_outcomes(outcomes, None, as_json=as_json)
    sys.exit(status)
