"""The real collection: its article added from a file, and a fetch of it all without a network."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provenance.archive import Archive
from provenance.cite import CitationFormat
from tests.roots import findings

ROOT = Path(__file__).parents[1]
ARTICLE = ROOT.parent / "shared" / "facts" / "article.txt"


def collection_root(folder: Path) -> Archive:
    """Return a root with the real collection's seeds, both files."""
    archive = Archive.init(folder / "root")
    shutil.rmtree(archive.root / "seeds")
    shutil.copytree(ROOT / "seeds", archive.root / "seeds")
    return archive


async def _asked(archive: Archive, *paths: str) -> list[Any]:
    site = archive.site()
    return [await site.client.get(path, follow_redirects=True) for path in paths]


@pytest.mark.shared
@pytest.mark.skipif(not ARTICLE.is_file(), reason="the article's text is not beside the checkout")
def test_the_article_has_the_content_id_that_sha256sum_prints(tmp_path: Path) -> None:
    """It is found, shown and cited under its document."""
    archive = collection_root(tmp_path)
    (outcome,) = archive.add([ARTICLE], document="gt-event-article")
    printed = subprocess.run(["sha256sum", ARTICLE], capture_output=True, text=True, check=True)
    content_id = f"sha256:{printed.stdout.split()[0]}"
    assert outcome.content_id == content_id
    archive.index()
    (row,) = archive.captures_of("gt-event-article")
    assert row.content_id == content_id
    words = ARTICLE.read_text("utf-8").split()
    assert "gt-event-article" in [
        hit.document for hit in archive.search(f'"{words[0]} {words[1]}"')
    ]
    cited, text = archive.cite("gt-event-article", CitationFormat.TEXT)
    assert cited.content_id == content_id
    assert content_id in text
    page, content = asyncio.run(
        _asked(archive, "/document/gt-event-article", f"/content/{row.capture_id}")
    )
    assert content_id.removeprefix("sha256:")[:12] in page.text
    assert content.content == ARTICLE.read_bytes()
    assert findings(archive) == []


def test_without_a_network_every_document_has_one_outcome(tmp_path: Path) -> None:
    """The run ends by itself, with status 3, in a network namespace that has nothing."""
    alone = [shutil.which("unshare") or "unshare", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a network namespace of its own needs root")
    archive = collection_root(tmp_path)
    call = [*alone, sys.executable, "-c", "from provenance.cli import main; main()"]
    call += ["-C", str(archive.root), "fetch", "--json", "--no-trust-env"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    *outcomes, summary = map(json.loads, done.stdout.splitlines())
    asked = Counter(each["document"] for each in outcomes)
    assert set(asked.values()) == {1}
    assert set(asked) == {str(each.id) for one in archive.collections() for each in one.documents}
    assert set(summary["outcomes"]) == {"failed", "skipped"}
    wanted = [each for one in archive.collections() for each in one.documents if each.url is None]
    assert summary["outcomes"]["skipped"] == len(wanted)
    assert findings(archive) == []
