"""`provenance verify`: the assurance ladder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance.archive import Archive
from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import safe, say, write_object
from provenance.cli.progress import reading_shown
from provenance.cli.proven import tell_proof
from provenance.errors import NotARootError
from provenance.log.folder import read_given
from provenance.verify import CaptureVerdict, Finding, Note, Report

if TYPE_CHECKING:
    from provenance.timestamps.block import BlockHeader

_SHOWN = 20
"""Captures that are told to people one by one; the rest are counted."""

_DATES = 6
"""Dates that are told to people, those of the largest checkpoints."""

_NEVER = "who the server was beyond its TLS certificate, or that it said the truth"
_DATED = "a trusted authority, or a block that you gave, dated a checkpoint over it"
_COSIGNED = "a witness that you named cosigned a checkpoint over it"


@click.command("verify")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A checkpoint that was kept elsewhere: the log must go on from it. May be repeated.",
)
@click.option(
    "--against",
    multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The root of another observer's archive: tell what it holds too. May be repeated.",
)
@click.option(
    "--tsa-ca",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Certificates, in PEM, of the authorities that you trust to date.",
)
@click.option(
    "--bitcoin-header",
    "headers",
    metavar="HEX|FILE",
    multiple=True,
    help="The header of a block that you know to be in Bitcoin's chain, for a proof by a calendar."
    " May be repeated.",
)
@click.option(
    "--key", "operator_key", metavar="LINE", help="The public key line of who must have signed."
)
@click.option(
    "--witness-key",
    "witness_keys",
    metavar="LINE|FILE",
    multiple=True,
    help="The public key line of a witness that you know, or a file with it. May be repeated.",
)
@click.option(
    "--proof",
    "proof_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Check a proof of one capture (`log proof`), with nothing else at hand.",
)
@click.option(
    "--record",
    "record_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --proof: a file with the capture's records, as WARC, to compare with it.",
)
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    targets: tuple[str, ...],
    checkpoints: tuple[Path, ...],
    against: tuple[Path, ...],
    tsa_ca: Path | None,
    headers: tuple[str, ...],
    operator_key: str | None,
    witness_keys: tuple[str, ...],
    proof_file: Path | None,
    record_file: Path | None,
    as_json: bool,
) -> None:
    """Check every record of the archive, the manifest and the log. Exit status 4: damage found.

    With a TARGET only that is checked: a WARC, ARC or WACZ file, of this archive or another; an
    id, or the first 8 or more digits of one; a citation, as text or in a file; or a saved
    document, whose captures are found by its SHA-256. Captures of the archive are held against the
    log too.
    """
    if proof_file is not None:
        if targets or against or tsa_ca or headers:
            raise click.UsageError(
                "A proof is checked by itself: no TARGET, --against, --tsa-ca, --bitcoin-header."
            )
        tell_proof(
            proof_file, record_file, checkpoints, operator_key, witness_keys, as_json=as_json
        )
        return
    if record_file is not None:
        raise click.UsageError("--record is for --proof.")
    if targets and against:
        raise click.UsageError("--against is for the whole archive, no TARGET.")
    blocks = tuple(_header(each) for each in headers)
    archive = _archive(ctx, targets)
    captures = 0

    def on_finding(each: Finding) -> None:
        line.clear()
        if as_json:
            write_object("finding", each)
        else:
            click.echo(f"{each.code}: {_place(each)}")
            click.echo(f"  expected {safe(each.expected)}, found {safe(each.found)}")
            click.echo(f"  {safe(each.hint)}")

    def on_note(each: Note) -> None:
        line.clear()
        if as_json:
            write_object("note", each)
        else:
            say(f"note: {each.code}: {_place(each)}: {safe(each.hint)}")

    def on_capture(each: CaptureVerdict) -> None:
        nonlocal captures
        captures += 1
        line.clear()
        if as_json:
            write_object("capture", each)
        elif captures <= _SHOWN:
            _tell_capture(each)

    with reading_shown(quiet=as_json) as line:
        if archive is not None:
            report = archive.verify(
                targets,
                on_finding=on_finding,
                on_note=on_note,
                on_capture=on_capture if targets else None,
                on_progress=line.show,
                checkpoints=checkpoints,
                against=against,
                tsa_ca=tsa_ca,
                bitcoin_headers=blocks,
                operator_key=operator_key,
                witness_keys=witness_keys,
            )
        else:
            from provenance.verify.asked import verify_targets

            report = verify_targets(
                targets,
                root=None,
                index=None,
                on_finding=on_finding,
                on_note=on_note,
                on_capture=on_capture,
                on_progress=line.show,
                checkpoints=checkpoints,
                tsa_ca=tsa_ca,
                bitcoin_headers=blocks,
                operator_key=operator_key,
                witness_keys=witness_keys,
            )
    if as_json:
        write_object("summary", report)
        sys.exit(4 if report.findings else 0)
    whose = (
        "the key that you gave"
        if operator_key
        else "the key in the archive itself, if there is one,"
    )
    if targets:
        _told(report, whose=whose, dating=bool(tsa_ca or blocks), witnesses=bool(witness_keys))
    else:
        _ladder(report, against=bool(against), whose=whose)
    sys.exit(4 if report.findings else 0)


def _tell_capture(each: CaptureVerdict) -> None:
    click.echo(f"{each.capture_id}: {', '.join(each.rungs) or 'no rung holds'}")
    if each.dated_at is not None:
        click.echo(f"  dated: {each.dated_at} by {safe(each.dated_by or '')}")


def _header(given: str) -> BlockHeader:
    """Return the header that is given in hexadecimal, or in a file as 80 bytes or so."""
    from provenance.timestamps.block import HEADER_BYTES, parse_header

    if len(given) == 2 * HEADER_BYTES and not Path(given).exists():
        return parse_header(given.encode("utf-8", "replace"), where="--bitcoin-header")
    return parse_header(read_given(Path(given)), where=given)


def _archive(ctx: click.Context, targets: tuple[str, ...]) -> Archive | None:
    """Open the archive; files that need none can be checked without."""
    try:
        return open_archive(ctx)
    except NotARootError:
        if not targets:
            raise
        return None


def _told(report: Report, *, whose: str, dating: bool, witnesses: bool) -> None:
    """Say what was looked at, what holds, and what was not looked at."""
    if report.captures > _SHOWN:
        click.echo(f"… and {report.captures - _SHOWN} captures more")
    _whole(report)
    if not report.asked_of_log:
        click.echo("Not looked at: anything else; `provenance verify` checks the whole archive.")
        click.echo(f"Not proved: {_NEVER}.")
        return
    _logged(
        report,
        whose=whose,
        dated=_DATED if dating else "nobody to trust (--tsa-ca, --bitcoin-header)",
    )
    if witnesses:
        of = f"of {report.asked_of_log} captures"
        click.echo(f"  witnessed  {report.rungs.witnessed} {of}: {_COSIGNED}")
    if report.log is not None:
        click.echo(f"  checkpoint {safe(report.log.origin)}, {report.log.size} leaves,")
        click.echo(f"             root {report.log.root}")
    click.echo("Not looked at: other records, their order, the manifest, the rest of the log;")
    click.echo("`provenance verify` checks the whole archive.")
    _not_proved(report)


def _place(each: Finding | Note) -> str:
    at = f"byte {each.offset}" if each.offset is not None else None
    return ", ".join(safe(part) for part in (each.warc, at, each.field) if part) or "archive/"


def _ladder(report: Report, *, against: bool, whose: str) -> None:
    _whole(report)
    _logged(report, whose=whose, dated=_DATED)
    of = f"of {report.captures} captures"
    click.echo(f"  witnessed  {report.rungs.witnessed} {of}: {_witnessed(report, against=against)}")
    _witnesses(report)
    click.echo(
        f"  manifest   {report.manifest.agreed} of {report.manifest.listed} listed files agree"
    )
    _not_proved(report)


def _whole(report: Report) -> None:
    faults = "1 finding" if report.findings == 1 else f"{report.findings} findings"
    records = "1 record" if report.records == 1 else f"{report.records} records"
    click.echo(f"{records} checked, {faults}.")
    if report.captures:
        of = f"of {report.captures} captures"
        click.echo(f"  whole      {report.rungs.whole} {of}: not damaged by accident")
    else:
        click.echo("  whole      no capture here")


def _logged(report: Report, *, whose: str, dated: str) -> None:
    of = f"of {report.asked_of_log} captures"
    click.echo(f"  sealed     {report.rungs.sealed} {of}: {_sealed(report)}")
    click.echo(f"  dated      {report.rungs.dated} {of}: {dated}")
    largest = sorted(report.dates, key=lambda each: -each.size)
    for each in largest[:_DATES]:
        who = safe(each.by)
        click.echo(f"             dated: {each.dated_at} by {who}, over {each.size} leaves")
    if len(largest) > _DATES:
        click.echo(f"             … and {len(largest) - _DATES} dates more (--json)")
    click.echo(f"  signed     {report.rungs.signed} {of}: {whose} signed a checkpoint over it")


def _witnesses(report: Report) -> None:
    for each in report.witnesses:
        word = f"cosigned {each.size} leaves at {each.cosigned_at}" if each.size else "none yet"
        click.echo(f"             {safe(each.witness)}: {word}")


def _not_proved(report: Report) -> None:
    click.echo(f"Not proved: {_NEVER};")
    if report.log is None:
        click.echo("nor, before a checkpoint, that nobody changed records and manifest together.")
    else:
        click.echo("nor that nobody made log and archive anew: keep a checkpoint elsewhere.")
    if any(each.size for each in report.witnesses):
        click.echo("A witness saw sizes and hashes of a log that only grew, and no document.")


def _witnessed(report: Report, *, against: bool) -> str:
    ways = []
    if report.witnesses:
        ways.append(_COSIGNED)
    if against:
        ways.append("another archive has the content too")
    return ", or ".join(ways) or "no witness was named, and no other archive"


def _sealed(report: Report) -> str:
    if report.log is None:
        return "no checkpoint yet (`provenance log checkpoint`)"
    return f"not changed since the checkpoint over {report.log.size} leaves"
