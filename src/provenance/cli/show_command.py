"""`provenance show`: one document or capture."""

from __future__ import annotations

import click

from provenance.cli.cards import capture_card, document_card, timeline
from provenance.cli.layout import fields
from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import put, terminal_columns, write_document, write_object
from provenance.fetch.challenges import RULES
from provenance.index import CaptureRow, IdKind


@click.command("show")
@click.argument("identifier", metavar="ID")
@json_option
@click.pass_context
def command(ctx: click.Context, identifier: str, as_json: bool) -> None:
    """Show a document with its captures, or one capture.

    ID is a document id, a capture id or content id (a content stands for its newest capture), or
    the first 8 or more digits of one.
    """
    archive = open_archive(ctx, reads_index=True)
    found = archive.resolve(identifier)
    columns = terminal_columns()
    captures: tuple[CaptureRow, ...] = (found.capture,) if found.capture else ()
    if found.kind is IdKind.DOCUMENT:
        captures = archive.captures_of(found.document)
        document = archive.document(found.document)
        if document is not None and as_json:
            write_document(document, archive.newest_of([document])[0])
        elif document is not None:
            put(document_card(document, columns))
    if as_json:
        for capture in captures:
            write_object("capture", capture)
    elif found.kind is IdKind.DOCUMENT and captures:
        put(("", *timeline(captures)))
    elif captures:
        put(capture_card(captures[0], columns))
        put(fields([("why", each.why) for each in RULES if each.id == captures[0].rule], columns))
