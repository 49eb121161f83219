"""`provenance verify`: the assurance ladder."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import safe, say, write_object
from provenance.verify import Finding, Note, Report


@click.command("verify")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept elsewhere: the log must go on from it. May be repeated.",
)
@click.option(
    "--against",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The root of another observer's archive: tell what it holds too. May be repeated.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    checkpoints: tuple[Path, ...],
    against: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check every record of the archive, the manifest and the log. Exit status 4: damage found."""
    archive = open_archive(ctx)

    def on_finding(each: Finding) -> None:
        if as_json:
            write_object("finding", each)
        else:
            click.echo(f"{each.code}: {_place(each)}")
            click.echo(f"  expected {safe(each.expected)}, found {safe(each.found)}")
            click.echo(f"  {safe(each.hint)}")

    def on_note(each: Note) -> None:
        if as_json:
            write_object("note", each)
        else:
            say(f"note: {each.code}: {_place(each)}: {safe(each.hint)}")

    report = archive.verify(
        on_finding=on_finding, on_note=on_note, checkpoints=checkpoints, against=against
    )
    if as_json:
        write_object("summary", report)
    else:
        _ladder(report, against=bool(against))
    sys.exit(4 if report.findings else 0)


def _place(each: Finding | Note) -> str:
    at = f"byte {each.offset}" if each.offset is not None else None
    return ", ".join(safe(part) for part in (each.warc, at, each.field) if part) or "archive/"


def _ladder(report: Report, *, against: bool) -> None:
    of = f"of {report.captures} captures"
    faults = "1 finding" if report.findings == 1 else f"{report.findings} findings"
    click.echo(f"{report.records} records checked, {faults}.")
    click.echo(f"  whole      {report.rungs.whole} {of}: not damaged by accident")
    click.echo(f"  sealed     {report.rungs.sealed} {of}: {_sealed(report)}")
    other = "another archive has the content too" if against else "no other archive was asked"
    click.echo(f"  witnessed  {report.rungs.witnessed} {of}: {other}")
    click.echo(
        f"  manifest   {report.manifest.agreed} of {report.manifest.listed} listed files agree"
    )
    click.echo(
        "Not proved: who the server was beyond its TLS certificate, or that it said the truth;"
    )
    if report.log is None:
        click.echo("nor, before a checkpoint, that nobody changed records and manifest together.")
    else:
        click.echo("nor that nobody made log and archive anew: keep a checkpoint elsewhere.")


def _sealed(report: Report) -> str:
    if report.log is None:
        return "no checkpoint yet (`provenance log checkpoint`)"
    return f"not changed since the checkpoint over {report.log.size} leaves"
