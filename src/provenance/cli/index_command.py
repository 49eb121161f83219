"""`provenance index`: the index out of WARC files and seeds."""

from __future__ import annotations

import sys

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import safe, say, write_object


@click.command("index")
@click.option("--check", is_flag=True, help="Compare the index with its sources; change nothing.")
@click.option("--no-text", is_flag=True, help="Leave text extraction out.")
@json_option
@click.pass_context
def command(ctx: click.Context, check: bool, no_text: bool, as_json: bool) -> None:
    """Rebuild metadata/provenance.db from WARC files and seeds."""
    archive = open_archive(ctx)
    if not check:
        made = archive.index(text=not no_text)
        _tell(made, as_json=as_json)
        return
    compared = archive.index_check()
    _tell(compared.expected, as_json=as_json)
    if compared.same:
        say("The index is what WARC files and seeds make.")
        return
    for each in compared.differences:
        columns = f" ({', '.join(each.columns)})" if each.columns else ""
        say(f"differs: {each.table}: {safe(each.key)}: {each.kind}{safe(columns)}")
    say("The index differs from WARC files and seeds; `provenance index` makes it anew.")
    sys.exit(4)


def _tell(made: object, *, as_json: bool) -> None:
    if as_json:
        write_object("index", made)
    else:
        say(
            f"{made.captures} captures of {made.contents} contents; "  # type: ignore[attr-defined]
            f"digest {made.digest}"  # type: ignore[attr-defined]
        )
