"""`provenance links`: what a capture cites, and what of it is archived."""

from __future__ import annotations

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import safe, say, write_object


@click.command("links")
@click.argument("identifier", metavar="ID")
@json_option
@click.pass_context
def command(ctx: click.Context, identifier: str, as_json: bool) -> None:
    """List the addresses that the capture ID leads to, and say which of them are archived."""
    archive = open_archive(ctx, reads_index=True)
    capture = archive.resolve(identifier).capture
    links = archive.links(capture) if capture else ()
    for link in links:
        if as_json:
            write_object("link", link)
            continue
        held = ", ".join(
            f"{each.document} ({each.match.value}{'' if each.capture_id else ', not captured'})"
            for each in link.archived
        )
        click.echo(f"{link.kind:<9} {safe(link.url)}  {safe(held) or 'not archived'}")
    if not links and not as_json:
        say("No addresses.")
