"""`provenance log`: commit to what is sealed, and prove captures and consistency."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance.cli.opening import json_option, open_archive
from provenance.cli.printing import safe, say, write_object
from provenance.errors import ProvenanceError, StorageError
from provenance.log.folder import read_given

if TYPE_CHECKING:
    from provenance.dating import Dated, Promised


@click.group("log")
def command() -> None:
    """The transparency log: one line of text that commits to the whole archive."""


@command.command("checkpoint")
@click.option("--origin", metavar="NAME", help="What the log is called, at its first checkpoint.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PROVENANCE_KEY",
    help="The operator's key file (`provenance key new`); the checkpoint is signed with it.",
)
@json_option
@click.pass_context
def checkpoint(
    ctx: click.Context, origin: str | None, key_file: Path | None, as_json: bool
) -> None:
    """Add what was sealed since the last checkpoint, and print the new one.

    Whoever keeps what is printed can show any later change to what it covers.
    """
    archive = open_archive(ctx)
    made = archive.checkpoint(
        origin=origin, key_file=key_file, progress=lambda name: say(f"adding {safe(name)}")
    )
    if made.signed_before and not made.signed:
        say(
            "note: this checkpoint is not signed, and the log was signed before;"
            " the same command with --key FILE signs it."
        )
    if as_json:
        write_object("checkpoint", made)
        return
    say(f"{made.leaves} leaves added from {made.files} files; {made.size} in all.")
    click.echo(made.text, nl=False)


@command.command("timestamp")
@click.argument("urls", metavar="[URL]...", nargs=-1)
@click.option(
    "--tsa-ca",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Certificates, in PEM, that the authority's must lead to.",
)
@click.option("--ots", is_flag=True, help="The URLs are those of OpenTimestamps calendars.")
@click.option(
    "--upgrade", is_flag=True, help="Ask the calendars what became of what they promised."
)
@click.option(
    "--calendar",
    "calendars",
    metavar="URL",
    multiple=True,
    help="With --upgrade: ask this calendar too, where a proof names it. May be repeated.",
)
@click.option(
    "--allow-private",
    is_flag=True,
    help="With --upgrade: ask calendars at loopback and private addresses too.",
)
@json_option
@click.pass_context
def timestamp(
    ctx: click.Context,
    urls: tuple[str, ...],
    tsa_ca: Path | None,
    ots: bool,
    upgrade: bool,
    calendars: tuple[str, ...],
    allow_private: bool,
    as_json: bool,
) -> None:
    """Have the newest checkpoint dated by each time-stamping authority (RFC 3161) at a URL.

    The authority learns a hash and nothing else. Where one fails the others are still asked.

    With --ots each URL is that of an OpenTimestamps calendar, which promises to bring a hash into
    a Bitcoin block. Until then its proof is pending and dates nothing: some hours later, --upgrade
    asks for the rest. Of the addresses in a proof it asks the well-known ones and that of --ots.
    """
    _check_timestamp(urls, tsa_ca, ots=ots, upgrade=upgrade)
    if (allow_private or calendars) and not upgrade:
        raise click.UsageError("--calendar and --allow-private are for --upgrade.")
    archive = open_archive(ctx)
    if upgrade:
        _tell_promises(
            archive.complete_promises(calendars=calendars, allow_private=allow_private), as_json
        )
        return
    worst = 0
    for url in urls:
        try:
            if ots:
                _tell_promises([archive.promise(url)], as_json)
            else:
                _tell_dated(archive.timestamp(url, tsa_ca=tsa_ca), as_json)
        except ProvenanceError as fault:
            say(f"error: {safe(str(fault))}")
            worst = max(worst, fault.exit_code)
    sys.exit(worst)


@command.command("witness")
@click.argument("urls", metavar="[URL]...", nargs=-1)
@click.option(
    "--witness-key",
    "witness_keys",
    metavar="LINE|FILE",
    multiple=True,
    required=True,
    help="The public key line of the witness, or a file with it; one for each URL, in order.",
)
@click.option(
    "--answer",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Instead of a URL: a file with what a witness signed (`provenance witness cosign`).",
)
@json_option
@click.pass_context
def witness(
    ctx: click.Context,
    urls: tuple[str, ...],
    witness_keys: tuple[str, ...],
    answer: Path | None,
    as_json: bool,
) -> None:
    """Have the newest checkpoint cosigned by each witness at a URL (C2SP tlog-witness).

    A witness checks that the log goes on from what it has cosigned before; it learns sizes and
    hashes. Its cosignature is kept with the checkpoint. Where one fails the others are still asked.
    """
    if bool(urls) == (answer is not None):
        raise click.UsageError("Give the URLs of witnesses, or --answer.")
    if len(urls or (answer,)) != len(witness_keys):
        raise click.UsageError(
            f"One --witness-key for each URL: {len(urls or (answer,))} wanted, "
            f"{len(witness_keys)} given."
        )
    archive = open_archive(ctx)
    worst = 0
    for url, key in zip(urls or (None,), witness_keys, strict=True):
        try:
            if url is not None:
                said = archive.witness(url, key)
            else:
                said = archive.keep_cosignature(read_given(answer or Path()), key)
        except ProvenanceError as fault:
            say(f"error: {safe(str(fault))}")
            worst = max(worst, fault.exit_code)
            continue
        if as_json:
            write_object("witness", said, url=url)
        else:
            before = "" if said.new else " before"
            click.echo(
                f"{said.cosigned_at} {safe(said.witness)} cosigned {said.size} leaves{before}"
            )
    sys.exit(worst)


def _check_timestamp(
    urls: tuple[str, ...], tsa_ca: Path | None, *, ots: bool, upgrade: bool
) -> None:
    if upgrade and (urls or ots or tsa_ca):
        raise click.UsageError(
            "--upgrade asks the calendars that the proofs name: no URL, no --ots, no --tsa-ca."
        )
    if not (upgrade or urls):
        raise click.UsageError("Missing argument 'URL...'.")
    if ots and tsa_ca:
        raise click.UsageError("--tsa-ca is for authorities; a calendar has no certificate.")


def _tell_dated(dated: Dated, as_json: bool) -> None:
    if as_json:
        write_object("timestamp", dated)
    else:
        click.echo(f"{dated.gen_time} {safe(dated.signer)}: {dated.standing}")


def _tell_promises(promises: Iterable[Promised], as_json: bool) -> None:
    """Say how far each proof is; exit 1 where a calendar did not answer."""
    states = []
    for each in promises:
        states.append(each.state)
        if as_json:
            write_object("calendar", each)
            continue
        for block in each.blocks:
            click.echo(
                f"{safe(each.calendar)}: in Bitcoin block {block.height} by the proof, merkle root"
                f" {block.merkle_root}; not checked here without the block header"
            )
        if not each.blocks:
            why = f" ({safe(each.said)})" if each.said else ""
            word = "no answer, pending still" if each.state == "unanswered" else "pending"
            click.echo(f"{safe(each.calendar)}: {word}{why}; dates nothing yet")
    if not states:
        say("No calendar has promised anything (`provenance log timestamp --ots URL`).")
    if "unanswered" in states:
        sys.exit(1)


@command.command("proof")
@click.argument("identifier", metavar="ID")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file to write."
)
@click.pass_context
def proof(ctx: click.Context, identifier: str, output: Path | None) -> None:
    """Print the proof that the log covers one capture; it reveals no other.

    Check it with `provenance verify --proof FILE`.
    """
    raw = open_archive(ctx).proof(identifier)
    if output is None:
        click.echo(raw, nl=False)
        return
    try:
        output.write_bytes(raw)
    except OSError as fault:
        raise StorageError(f"cannot write ({fault.strerror})", where=str(output)) from fault
    say(f"{len(raw)} bytes in {safe(str(output))}")


@command.command("consistency")
@click.argument("old", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def consistency(ctx: click.Context, old: Path, as_json: bool) -> None:
    """Prove that the log still begins with all that the checkpoint in the file OLD covers."""
    archive = open_archive(ctx)
    proven = archive.consistency(read_given(old), where=str(old))
    if as_json:
        write_object("consistency", proven)
        return
    click.echo(
        f"The log of {proven.size} leaves begins with the {proven.old_size} of that checkpoint."
    )
    for each in proven.proof:
        click.echo(each)
    sys.exit(0)
