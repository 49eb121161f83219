"""`provenance cite`: a citation whose hash never changes."""

from __future__ import annotations

import click

from provenance.cite import CitationFormat
from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import write_object


@click.command("cite")
@click.argument("identifier", metavar="ID")
@click.option(
    "--format",
    "form",
    type=click.Choice([each.value for each in CitationFormat]),
    default=CitationFormat.TEXT.value,
    show_default=True,
)
@click.option("--locator", metavar="TEXT", help="A page or passage, such as 'p. 2'.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, identifier: str, form: str, locator: str | None, as_json: bool
) -> None:
    """Print a citation of ID: a document (its newest version), a capture or a content."""
    archive = open_archive(ctx, reads_index=True)
    cited, text = archive.cite(identifier, CitationFormat(form), locator)
    if as_json:
        write_object(
            "citation",
            {
                "format": form,
                "text": text,
                "content_id": cited.content_id,
                "capture_id": cited.capture_id,
            },
        )
    else:
        click.echo(text, nl=False)
