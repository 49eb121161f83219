"""`provenance demo`: the whole way in one command."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provenance.cli.opening import json_option
from provenance.cli.outcomes import report_outcomes
from provenance.cli.printing import safe, say, write_object


@click.command("demo")
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@json_option
def command(directory: Path | None, as_json: bool) -> None:
    """Fetch, index, verify and cite a bundled small web on loopback, then end. No network needed.

    The archive is left in DIRECTORY (demo-archive).
    """
    from provenance.demo.run import run_demo

    made = run_demo(directory or Path("demo-archive"))
    say("A fictional town's harbour bridge: first fetch")
    report_outcomes(made.first, None, as_json=as_json)
    say("\nSecond fetch, after one page has changed, and a local file")
    report_outcomes((*made.second, *made.added), None, as_json=as_json)
    if as_json:
        write_object("index", made.index)
        write_object("summary", made.report)
        write_object("root", {"path": str(made.root)})
    else:
        click.echo(
            f"\nIndex: {made.index.captures} captures, {made.index.contents} contents, "
            f"digest {made.index.digest}"
        )
        click.echo(
            f"Verified: {made.report.records} records, {made.report.rungs.whole} of "
            f"{made.report.captures} captures whole, {made.report.findings} findings"
        )
        click.echo(f"\n{made.citation}")
        click.echo(f"The archive is in {safe(made.root)}. Open its pages with")
        click.echo(f"  provenance -C {safe(made.root)} serve")
    for finding in made.findings:
        say(f"finding: {finding.code} {safe(finding.warc)} {safe(finding.found)}")
    sys.exit(4 if made.findings else 0)
