"""Give the pages to a Datasette that somebody else starts: `datasette serve`, `datasette publish`.

Only where its metadata or configuration has `plugins.provenance`; else nothing changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provenance import __version__
from provenance.errors import UsageError
from provenance.web.attachment import Site, attach_site, site_of
from provenance.web.offer import Offer
from provenance.web.plugin import hook_before
from provenance.web.public import parse_public_address

PLUGIN = "provenance"
KEYS = ("database", "root", "title", "base_url")


@hook_before
def register_routes(datasette: Any) -> list[Any]:
    """Attach the pages before their own plugin is asked for its routes; add none here."""
    config = datasette.plugin_config(PLUGIN)
    if config is not None and site_of(datasette) is None:
        attach_site(datasette, configured_site(datasette, config))
    return []


def configured_site(datasette: Any, config: Any) -> Site:
    """Return the site that a plugin's configuration describes.

    Its keys, each of which may be missing: `database`, a name (provenance); `root`, the archive's
    folder, by default that above the database's; `title`; `base_url`, the public address, whose
    folders are those of Datasette's own setting. Without WARC files there the site has no contents.

    Raises:
        UsageError: a key is not known, or there is no such database.
    """
    # Importing Datasette imports this file, at times from within that one.
    from provenance.showing import make_source

    if not isinstance(config, dict) or not config.keys() <= {*KEYS}:
        raise UsageError(
            f"plugins.{PLUGIN} is not understood", expected=f"some of {', '.join(KEYS)}"
        )
    name = config.get("database", "provenance")
    database = datasette.databases.get(name)
    if database is None or database.path is None:
        raise UsageError(f"there is no database {name!r}", hint="Name its file after `serve -i`.")
    path = Path(database.path).resolve()
    root = Path(config["root"]) if "root" in config else path.parent.parent
    address = parse_public_address(config["base_url"]) if "base_url" in config else None
    if address is not None and address.base != datasette.setting("base_url"):
        raise UsageError(
            "the public address and Datasette's setting base_url differ",
            expected=address.base,
            found=str(datasette.setting("base_url")),
        )
    warcs = root / "archive"
    return Site(
        datasette,
        make_source(root, path),
        database=name,
        title=config.get("title", "Provenance"),
        software=f"provenance {__version__}",
        offer=Offer(
            sql=bool(datasette.setting("default_allow_sql")),
            contents=warcs.is_dir(),
            database=bool(datasette.setting("allow_download")),
        ),
        address=address,
    )
