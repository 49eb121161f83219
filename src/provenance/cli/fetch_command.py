"""`provenance fetch`: documents into WARC files."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from provenance.cli.heaps import share_heaps
from provenance.cli.opening import json_option, open_archive
from provenance.cli.outcomes import report_outcomes
from provenance.cli.printing import say
from provenance.cli.progress import progress_shown
from provenance.cli.stopping import stopping_on_signals
from provenance.fetch.settings import FetchSettings

_SECONDS = click.FloatRange(min=0)


def _not_blank(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("expected a reason, found an empty text")
    return value


@click.command("fetch")
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@click.option(
    "--jobs", type=click.IntRange(1, 1000), default=64, show_default=True, help="Hosts at once."
)
@click.option(
    "--delay",
    type=_SECONDS,
    default=1.0,
    show_default=True,
    help="Seconds between requests to one host.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.001),
    default=60.0,
    show_default=True,
    help="Seconds to connect, and to wait for bytes.",
)
@click.option(
    "--max-time",
    type=click.FloatRange(min=0.001),
    default=3600.0,
    show_default=True,
    help="Seconds for one document.",
)
@click.option(
    "--max-run-time",
    type=click.FloatRange(min=0.001),
    help="Seconds for the whole run; the next fetch goes on from there.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(min=1),
    default=8 << 30,
    show_default=True,
    help="Bytes of one body.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 20),
    default=2,
    show_default=True,
    help="Further attempts after a transient fault.",
)
@click.option(
    "--conditional/--no-conditional",
    default=True,
    show_default=True,
    help="Ask for a body only if it has changed, where the server gave an ETag or a date.",
)
@click.option("--proxy", metavar="URL", help="An HTTP or SOCKS proxy, private or not.")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, path_type=Path),
    help="Certificates to trust instead of the usual ones.",
)
@click.option(
    "--client-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A PEM certificate to show to servers, with its key in the same file or --client-key.",
)
@click.option(
    "--client-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The key of --client-cert, where that file does not hold it.",
)
@click.option(
    "--cookies",
    "cookie_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Send the cookies of a cookies.txt file to the hosts that they name.",
)
@click.option(
    "--trust-env/--no-trust-env",
    default=True,
    show_default=True,
    help="Take proxies, certificates and .netrc from the environment, as requests does.",
)
@click.option(
    "--keep-credentials",
    is_flag=True,
    help="Write passwords and cookies that were sent into the WARC, and flag it.",
)
@click.option(
    "--ignore-robots",
    metavar="REASON",
    callback=_not_blank,
    help="Do not ask robots.txt; the reason is recorded.",
)
@click.option("--allow-private", is_flag=True, help="Allow loopback and private addresses.")
@click.option("--requisites", is_flag=True, help="Fetch what pages need for their replay too.")
@click.option(
    "--memento",
    metavar="TIMEGATE",
    help="Where an address is gone, import the capture nearest its publication date from here.",
)
@click.option("--alternates", is_flag=True, help="Fetch the alternates of each document too.")
@click.option(
    "--contact", metavar="TEXT", envvar="PROVENANCE_CONTACT", help="Put into the User-Agent."
)
@click.option("--operator", metavar="TEXT", envvar="PROVENANCE_OPERATOR", help="Put into warcinfo.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    targets: tuple[str, ...],
    timeout: float,
    delay: float,
    max_time: float,
    max_run_time: float | None,
    as_json: bool,
    **more: object,
) -> None:
    """Fetch documents: each TARGET is a collection, a document or a URL; without one, everything.

    Every document ends in one recorded outcome. Exit status 3: some document has no version.
    """
    share_heaps()
    archive = open_archive(ctx)
    settings = FetchSettings(
        delay_s=delay,
        timeout_s=timeout,
        max_time_s=max_time,
        max_run_time_s=max_run_time,
        **more,  # type: ignore[arg-type]
    )
    fetching = archive.fetch(targets, settings)
    with (
        stopping_on_signals(fetching.stop) as stopping,
        closing(fetching.outcomes) as outcomes,
    ):
        showing = progress_shown(fetching.progress)
        status = report_outcomes(outcomes, fetching.run, as_json=as_json, showing=showing)
    for errand in fetching.adhoc:
        say("\nTo keep this document, put this into a file under seeds/ and complete it:\n")
        say(archive.entry_to_keep(errand))
    if stopping.asked and not fetching.complete():
        raise KeyboardInterrupt
    sys.exit(status)
