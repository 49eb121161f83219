"""`provenance show`: one document or capture."""

from __future__ import annotations

from typing import Any

import click

from provenance.cli.cards import capture_card, document_card, timeline
from provenance.cli.layout import fields
from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import put, safe, terminal_columns, write_document, write_object
from provenance.index import CaptureRow, IdKind
from provenance.landing.challenges import RULES
from provenance.landing.not_found_rules import RULES as NOT_FOUND_RULES


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
        matched = {each.rule for each in captures}
        for each in RULES:
            if each.id in matched:
                put(("", *fields([("rule", each.id), ("why", each.why)], columns)))
    elif captures:
        put(capture_card(captures[0], columns))
        put(fields([("why", each.why) for each in RULES if each.id == captures[0].rule], columns))
        put(fields(_noticed(archive.note_of(captures[0].capture_id)), columns))


def _noticed(note: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what the answer says of its own address, and by which rule."""
    landing = note.get("landing")
    told = landing if isinstance(landing, dict) else {}
    said = [
        ("leads on to", told.get("meta_refresh")),
        ("canonical", told.get("canonical")),
        ("soft 404", told.get("soft_404")),
    ]
    said += [("why", each.why) for each in NOT_FOUND_RULES if each.id == told.get("soft_404")]
    return [(name, safe(value)) for name, value in said if value]
