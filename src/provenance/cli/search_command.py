"""`provenance search`: words in texts and titles."""

from __future__ import annotations

import click

from provenance.cli.cards import hit_lines
from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import put, say, terminal_columns, write_document, write_object


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="At most so many documents.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Search texts and titles for WORDS.

    A document is found when it has all of them. A phrase stands in quotes, begin* finds every word
    that begins so, and -word leaves documents out. In a shell, put the whole into single quotes.
    """
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
            put(hit_lines(hit.document, hit.title or hit.text_title, snippet, terminal_columns()))
    if not hits and not as_json:
        say("Nothing found.")
