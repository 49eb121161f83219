"""Open the archive for a command: recover interrupted files first, and say what is out of date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from provenance.archive import Archive
from provenance.cli.printing import safe, say
from provenance.cli.values import check_values

json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Write JSON Lines on stdout."
)


def open_archive(ctx: click.Context, *, reads_index: bool = False) -> Archive:
    """Return the archive at `-C`.

    Raises:
        NotARootError: there is none.
        click.BadParameter: a value is one that no option takes.
    """
    check_values(ctx)
    root: Path = ctx.obj
    archive = Archive(root)
    for each in archive.recover():
        if each.fault is not None:
            say(f"not recovered {safe(each.warc)}: {safe(each.fault)}")
            continue
        say(
            f"recovered {safe(each.warc)}: {each.records} records kept, "
            f"{each.torn_bytes} torn bytes set aside"
        )
    if reads_index:
        stale = archive.stale()
        if stale:
            first = f"{safe(stale[0])} differs"
            more = f", {len(stale) - 1} more" if len(stale) > 1 else ""
            say(f"note: the index is out of date ({first}{more}); run `provenance index`.")
    return archive
