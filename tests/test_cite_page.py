"""`docs/citations.md` shows what the code writes, and its commands give what it says.

Run this file as a script to write the examples into the page anew.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from provenance.cite import Citation, CitationFormat, render
from provenance.digest import digest_of, hex_of, to_base64url
from provenance.model import CollectionId, DocumentId

PAGE = Path(__file__).parent.parent / "docs" / "citations.md"
LANGUAGES = {"csl-json": "json", "ris": "text"}
EXAMPLE = Citation(
    document=DocumentId("audit-report"),
    collection=CollectionId("harbour-bridge"),
    title="What the Bridge Cost: 100% & Counting",
    title_original="大桥造价",
    author="Pan Ying, Sun Zhe (潘莹、孙哲)",
    publisher="Audit Office of Harbour Town",
    published="2021-02-22",
    language="zh-Hans",
    media_type="text/plain",
    url="https://audit.example/report?id=7&lang=zh",
    final_url="https://audit.example/reports/7",
    captured_at="2026-11-23T23:49:33.123456Z",
    content_id=digest_of(b"The bridge stays open.\n"),
    capture_id=digest_of(b"a WARC record"),
    outcome="captured",
    locator="p. 2",
)


def with_examples(page: str) -> str:
    """Return the page with the block after each form's marker written anew."""
    for form in CitationFormat:
        marker = f"<!-- example: {form} -->\n"
        block = f"\n```{LANGUAGES.get(form, form)}\n{render(EXAMPLE, form)}```\n"
        before, _, after = page.partition(marker)
        after = re.sub(r"\A\n```[a-z]*\n.*?\n```\n", "", after, flags=re.DOTALL)
        page = f"{before}{marker}{block}{after}"
    return page


def test_the_page_shows_each_form_byte_for_byte() -> None:
    """The examples are what the code writes, and there are six of them."""
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("<!-- example: ") == len(CitationFormat)
    assert page == with_examples(page)


def test_the_commands_of_the_page_give_what_it_says(tmp_path: Path) -> None:
    """A shell with coreutils alone recomputes the content id and its `ni:` form."""
    commands: list[tuple[str, str]] = []
    page = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", page, flags=re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            commands.append((command, output))
    assert len(commands) == 3
    if subprocess.run(["basenc", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("basenc (coreutils 8.31 or later) is not on this machine")
    for command, output in commands:
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout == output
    assert hex_of(EXAMPLE.content_id) in commands[1][1]
    assert commands[2][1] == to_base64url(EXAMPLE.content_id) + "\n"


if __name__ == "__main__":
    PAGE.write_text(with_examples(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
