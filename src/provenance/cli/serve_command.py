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
@click.option(
    "--base-url",
    metavar="URL",
    help="The public address of the site, where another web server stands in front of it.",
)
@click.option("--title", metavar="TEXT", help="What the site is called (Provenance).")
@click.option("--sql/--no-sql", default=True, help="Whether readers may type SQL (they may).")
@click.pass_context
def command(
    ctx: click.Context,
    host: str,
    port: int,
    names: tuple[str, ...],
    base_url: str | None,
    title: str | None,
    sql: bool,
) -> None:
    """Serve the index and the archive until Ctrl-C.

    An index that is rebuilt meanwhile is shown at once. Behind another web server, give the
    public address with --base-url; the site then goes by its host name too.
    """
    archive = open_archive(ctx, reads_index=True)
    from provenance.web.public import parse_public_address
    from provenance.web.renewal import RenewedSite
    from provenance.web.serving import SiteServer

    if base_url:
        names = (*names, parse_public_address(base_url).host)
    site = RenewedSite(
        lambda: archive.site(base_url=base_url, title=title, sql=sql),
        archive.index_path,
        report=say,
    )
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
