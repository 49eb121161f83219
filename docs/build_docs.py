#!/usr/bin/env python3
"""Write the pages of `docs/` that are made from the code, or check that they are as committed.

    python docs/build_docs.py            write them
    python docs/build_docs.py --check    exit 1 and name each page that differs

A page is made from nothing but the code, so that it is the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

DOCS = Path(__file__).parent
WIDTH = 80

OPENING = """# Command line

Made from the program's own help by `make docs`; edit the commands, not this page.
The objects that `--json` prints are described in [json.md](json.md).

## Exit codes

| code | means |
|---|---|
| 0 | done |
| 1 | failed: the command could not go on; one line on stderr says why and what to do |
| 2 | usage: an unknown option, a faulty seeds file, no archive root; nothing was changed |
| 3 | done, but some document has no version |
| 4 | damage found |
| 130 | interrupted; what was reported is on disk, and the next run goes on from there |

The worse wins: 4, then 1, then 3.
"""


def commands(group: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Context]]:
    """Yield (path, context) of a command and of all below it, in the order `--help` lists them."""
    context = click.Context(
        group, info_name=" ".join(path), terminal_width=WIDTH, max_content_width=WIDTH
    )
    yield " ".join(path), context
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is not None and not command.hidden:
                yield from commands(command, (*path, name))


def cli_page(group: click.Command) -> str:
    """Return the page that shows the help of every command of `group`."""
    parts = [OPENING]
    for path, context in commands(group, ("provenance",)):
        parts.append(f"## {path}\n\n```text\n{context.get_help().rstrip()}\n```\n")
    return "\n".join(parts)


def _cli() -> str:
    from provenance.cli.group import group

    return cli_page(group)


def _schema() -> str:
    from provenance.index.describe import schema_markdown

    return schema_markdown()


def _findings() -> str:
    from provenance.findings.code_page import to_markdown

    return to_markdown()


CHALLENGES = """# Pages in front of documents

Made from `provenance.fetch` by `make docs`; edit the rules there.

A server may answer with a page that stands in front of the document: a check whether a robot asks,
a refusal, a request for consent, a login. Such an answer is kept like any other, with the outcome
`challenge`, and the id of the rule that recognised it is its reason. It is never a version of the
document. `provenance show` prints the rule and why it was enough.

A rule matches where everything that it names is there. Marks are looked for in the first 64 KiB of
HTML, or of any text that came with an error status. Most pages in front of documents are small, and
share their libraries with the pages behind them; a rule whose marks could stand in an ordinary page
counts only up to a size.
"""

SOFT_404 = """## Pages that are not there

A server may say with a status of success that it has nothing. Such a page is kept as what it claims
to be, and the rule that noticed it is kept with it; people decide. Words count only where they are
the whole title, up to the site's name, or a whole first-level heading, and not in a page that
declares itself an article or has more running text than a notice has: an article about such pages
is none.
"""


def _challenges() -> str:
    from provenance.landing import challenges, notice

    return "\n".join([CHALLENGES, challenges.to_markdown(), SOFT_404, notice.to_markdown()])


PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": _cli,
    "schema.md": _schema,
    "findings.md": _findings,
    "challenges.md": _challenges,
}
"""Each page made from the code, by its name in `docs/`."""


def differing(docs: Path, pages: Mapping[str, Callable[[], str]]) -> list[str]:
    """Return the names of the pages in `docs` that are not what the code makes."""
    return [
        name
        for name, make in pages.items()
        if not (docs / name).is_file() or (docs / name).read_text("utf-8") != make()
    ]


def main(arguments: list[str]) -> int:
    """Write or check every page; return the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    wrong = differing(DOCS, PAGES)
    for name in wrong:
        if arguments:
            print(f"docs/{name} is not what the code makes: run make docs and commit it.")
        else:
            (DOCS / name).write_text(PAGES[name](), "utf-8")
            print(f"docs/{name} written")
    return 1 if arguments and wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
