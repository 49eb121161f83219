"""`provenance witness`: cosign the checkpoints of other people's logs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from provenance.cli.printing import safe, say
from provenance.cli.values import check_values
from provenance.errors import ProvenanceError

_FOLDER = click.argument(
    "folder", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path)
)

_KEY = click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PROVENANCE_WITNESS_KEY",
    help="The witness' key file (`provenance key new --witness`).",
)


@click.group("witness")
def command() -> None:
    """Be a witness: cosign other people's logs as long as they only grow.

    FOLDER is the witness' own, outside any archive. It says what was cosigned: never put an older
    copy of it back.
    """


@command.command("add")
@_FOLDER
@click.argument("line", metavar="LINE")
@click.option(
    "--origin",
    metavar="NAME",
    help="What the log is called, where it has another name than its key.",
)
@click.pass_context
def add(ctx: click.Context, folder: Path, line: str, origin: str | None) -> None:
    """Know a log from now on, by the public key LINE of its operator.

    A log that is known already gets one more key.
    """
    check_values(ctx)
    from provenance.log.note import parse_verifier_key
    from provenance.witness.folder import WitnessFolder

    key = parse_verifier_key(line.strip())
    name = origin or key.name
    new = WitnessFolder(folder).add(name, key)
    say(f"{safe(name)} is known{'' if new else ' already'}.")


@command.command("list")
@_FOLDER
@click.pass_context
def listing(ctx: click.Context, folder: Path) -> None:
    """List the logs that the witness knows: leaves cosigned, origin, keys.

    A file that is damaged, or none of a witness, is told, and the others are listed.
    """
    check_values(ctx)
    from provenance.witness.folder import WitnessFolder

    faults: list[ProvenanceError] = []
    for each in WitnessFolder(folder).logs(on_fault=faults.append):
        keys = " ".join(key.line for key in each.keys)
        click.echo(f"{each.head.size} {safe(each.origin)} {safe(keys)}")
    for fault in faults:
        say(f"error: {safe(str(fault))}")
    sys.exit(max((fault.exit_code for fault in faults), default=0))


@command.command("cosign")
@_FOLDER
@click.argument("copy", metavar="LOG", type=click.Path(file_okay=False, path_type=Path))
@_KEY
@click.pass_context
def cosign(ctx: click.Context, folder: Path, copy: Path, key_file: Path) -> None:
    """Cosign the log in the folder LOG, a copy of an archive or of its metadata/log; no network.

    Prints the cosignature; its operator keeps it with `provenance log witness --answer FILE`.
    """
    check_values(ctx)
    from provenance.log.keyfile import read_witness_key_file
    from provenance.runtime import system_runtime
    from provenance.witness.desk import cosign_copy

    key = read_witness_key_file(key_file)
    click.echo(cosign_copy(folder, key, system_runtime(), copy), nl=False)


@command.command("serve")
@_FOLDER
@_KEY
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; another than this machine's own opens it to a network.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8002,
    show_default=True,
    help="The port; 0 takes any free one.",
)
@click.pass_context
def serve(ctx: click.Context, folder: Path, key_file: Path, host: str, port: int) -> None:
    """Answer the logs that are known until Ctrl-C (C2SP tlog-witness).

    A log is known at once when it is added. To be reached from a network, put a web server with
    TLS in front of it.
    """
    check_values(ctx)
    from provenance.runtime import system_runtime
    from provenance.witness.serving import witness_server

    server = witness_server(
        folder,
        key_file,
        system_runtime(),
        host=host,
        port=port,
        announce=lambda url: say(f"Witnessing at {url}"),
        report=lambda told: say(safe(told)),
    )
    try:
        server.run()
    except KeyboardInterrupt:
        say("stopped.")
        sys.exit(130)
