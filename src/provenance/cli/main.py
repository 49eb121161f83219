"""The group of all commands; a command's file is imported only when the command is used."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from provenance import __version__
from provenance.errors import ProvenanceError

COMMANDS = (
    "init", "fetch", "add", "index", "verify", "list", "show", "search", "cite", "links", "serve",
    "demo",
)  # fmt: skip

_SHORT = {
    "init": "Make a new archive root.",
    "fetch": "Fetch documents into WARC files.",
    "add": "Add local files as captures.",
    "index": "Rebuild the index.",
    "verify": "Check the whole archive.",
    "list": "List the documents.",
    "show": "Show a document or capture.",
    "search": "Search texts and titles.",
    "cite": "Print a citation.",
    "links": "List the addresses a capture cites.",
    "serve": "Serve the pages with Datasette.",
    "demo": "Go the whole way on a bundled web.",
}


_ADVICE = dict.fromkeys(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), ". Make room, and run the command again."
) | dict.fromkeys(
    (errno.EROFS, errno.EACCES, errno.EPERM), ". Allow it there, and run the command again."
)
"""What to do where the system refuses, by its error number."""


class LazyGroup(click.Group):
    """A group that imports a command's file when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"provenance.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the short help of each command without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _SHORT[name]) for name in COMMANDS])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn our errors into one line and an exit status."""
        try:
            return super().invoke(ctx)
        except ProvenanceError as fault:
            for line in getattr(fault, "faults", ()):
                click.echo(line, err=True)
            click.echo(f"error: {fault}", err=True)
            sys.exit(fault.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted; what was reported as saved is kept.", err=True)
            sys.stdout.flush()
            # Files are sealed by now. Threads may still wait for a silent server, and an ordinary
            # exit would wait for them.
            os._exit(130)
        except OSError as fault:
            place = f"{fault.filename}: " if fault.filename else ""
            advice = _ADVICE.get(fault.errno or 0, "")
            click.echo(f"error: {place}{fault.strerror or fault}{advice}", err=True)
            sys.exit(1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="provenance")
@click.option(
    "-C",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="PROVENANCE_ROOT",
    default=Path(),
    show_default="the current directory",
    help="The archive root.",
)
@click.pass_context
def main(ctx: click.Context, root: Path) -> None:
    """Keep the documents behind an article as they were served, and cite them by fixed hashes."""
    ctx.obj = root
