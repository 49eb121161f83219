"""`provenance show`: one document or capture."""

from __future__ import annotations

from dataclasses import fields

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import table, write_document, write_object
from provenance.fetch.challenges import RULES
from provenance.index import IdKind


@click.command("show")
@click.argument("identifier", metavar="ID")
@json_option
@click.pass_context
def command(ctx: click.Context, identifier: str, as_json: bool) -> None:
    """Show a document with its captures, or one capture; ID may be a unique prefix of a digest."""
    archive = open_archive(ctx, reads_index=True)
    found = archive.resolve(identifier)
    document = archive.document(found.document)
    captures = archive.captures_of(found.document)
    if found.kind is not IdKind.DOCUMENT:
        captures = (found.capture,) if found.capture else ()
    if as_json:
        if found.kind is IdKind.DOCUMENT and document is not None:
            write_document(document, archive.newest_of([document])[0])
        for capture in captures:
            write_object("capture", capture)
        return
    if document is not None:
        table([(each.name, getattr(document, each.name)) for each in fields(document)
               if getattr(document, each.name) is not None])  # fmt: skip
    for capture in captures:
        click.echo()
        table([(each.name, getattr(capture, each.name)) for each in fields(capture)
               if getattr(capture, each.name) not in (None, ())])  # fmt: skip
        for rule in RULES:
            if rule.id == capture.rule:
                table([("why this rule", rule.why)])
