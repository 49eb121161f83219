"""`provenance search`: words in texts and titles."""

from __future__ import annotations

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import safe, say, write_document, write_object


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@json_option
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Search for WORDS: all of them, "a phrase", begin*, -without."""
    archive = open_archive(ctx, reads_index=True)
    hits = archive.search(" ".join(words), limit=limit)
    for hit in hits:
        snippet = "".join(f"[{text}]" if match else text for text, match in hit.snippet)
        if as_json:
            title = hit.title or hit.text_title
            if hit.capture is not None:
                write_object("capture", hit.capture, title=title, snippet=snippet)
            else:
                row = archive.document(hit.document)
                write_document(row, None, snippet=snippet)
        else:
            click.echo(f"{hit.document}  {safe(hit.title or hit.text_title)}")
            if snippet:
                click.echo(f"    {safe(' '.join(snippet.split()))}")
    if not hits and not as_json:
        say("Nothing found.")
