"""`provenance serve`: Datasette with the pages."""

from __future__ import annotations

import sys

import click

from provenance.cli.opening import open_archive
from provenance.cli.printing import say


@click.command("serve")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; another than this machine's own opens the site to a network.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8001,
    show_default=True,
    help="The port; 0 takes any free one.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="A host name that the site goes by, beside localhost; may be given several times.",
)
@click.pass_context
def command(ctx: click.Context, host: str, port: int, names: tuple[str, ...]) -> None:
    """Serve the index and the archive until Ctrl-C.

    An index that is rebuilt meanwhile is shown at once. Behind another web server, give the
    public name with --name.
    """
    archive = open_archive(ctx, reads_index=True)
    from provenance.web.renewal import RenewedSite
    from provenance.web.serving import SiteServer

    site = RenewedSite(archive.site, archive.index_path, report=say)
    server = SiteServer(
        site,
        host=host,
        port=port,
        names=names,
        announce=lambda url: say(f"Serving at {url}"),
    )
    try:
        server.run()
    except KeyboardInterrupt:
        say("stopped.")
        sys.exit(130)
