"""The group of all commands; a command's file is imported only when the command is used."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from provenance import __version__
from provenance.cli.endings import ended
from provenance.cli.starting import importing

COMMANDS = (
    "init", "fetch", "add", "index", "verify", "log", "key", "witness", "list", "show", "search",
    "cite", "links", "serve", "publish", "demo",
)  # fmt: skip

_SHORT = {
    "init": "Make a new archive root.",
    "fetch": "Fetch documents into WARC files.",
    "add": "Add local files as captures.",
    "index": "Rebuild the index.",
    "verify": "Check the archive, a file, an id or a citation.",
    "log": "Commit to what is sealed, and prove it.",
    "key": "Make or show a key.",
    "witness": "Cosign other people's logs.",
    "list": "List the documents.",
    "show": "Show a document or capture.",
    "search": "Search texts and titles.",
    "cite": "Print a citation.",
    "links": "List the addresses a capture cites.",
    "serve": "Serve the pages with Datasette.",
    "publish": "Write the pages as files.",
    "demo": "Go the whole way on a bundled web.",
}


class LazyGroup(click.Group):
    """A group that imports a command's file when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, or None."""
        if cmd_name not in COMMANDS:
            return None
        with importing():
            module = importlib.import_module(f"provenance.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the short help of each command without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _SHORT[name]) for name in COMMANDS])

    def main(self, args: Sequence[str] | None = None, **more: Any) -> NoReturn:  # type: ignore[override]
        """Run the command line on `args` and end the process."""
        ended(lambda: super(LazyGroup, self).main(args, **{**more, "standalone_mode": False}))


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
def group(ctx: click.Context, root: Path) -> None:
    """Keep the documents behind an article as they were served, and cite them by fixed hashes."""
    ctx.obj = root
