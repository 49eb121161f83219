"""Recorded real pages, served as if alive by a loopback proxy: each digest as it ought to be."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from provenance.archive import Archive
from provenance.fetch import FetchSettings
from provenance.warc.survey import survey
from tests.peers import assert_peers_agree

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
PAGES = (
    ("82b13590-sample-1.warc.gz", "82b135909640.json"),
    ("5cb22a7a-warcfile.warc.gz", "5cb22a7ab6d9.json"),
    ("082f16a7-example.docs.warc.gz", "082f16a729c8.json"),
)

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="no shared corpora beside the checkout"),
]


def as_http(url: str) -> str:
    """Return the address as the proxy is asked for it: it is plain."""
    return re.sub(r"^https", "http", url)


@pytest.fixture(scope="module", params=PAGES, ids=lambda pair: pair[0])
def replayed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Archive, dict[str, dict[str, object]]]]:
    """An archive that has fetched every address of one recorded file, and what is expected."""
    name, answers = request.param
    (recorded,) = (SHARED / "corpora" / "files").glob(f"*/{name}")
    call = [sys.executable, str(SHARED / "tools" / "replay_origin.py"), str(recorded)]
    listed = subprocess.run([*call, "--list"], capture_output=True, text=True, check=True)
    urls = [url for url in listed.stdout.split() if url.startswith("http")]
    expected = json.loads((SHARED / "corpora" / "expected" / answers).read_text())["records"]
    wanted: dict[str, dict[str, object]] = {}
    for record in expected:
        if record["type"] == "response" and record["uri"] in urls:
            wanted.setdefault(record["uri"], record)
    with subprocess.Popen(
        [*call, "--port", "0", "--seconds", "120"], stderr=subprocess.PIPE, text=True
    ) as proxy:
        assert proxy.stderr is not None
        line = proxy.stderr.readline()
        match = re.search(r"http://\S+", line)
        assert match is not None
        archive = Archive.init(tmp_path_factory.mktemp("real"))
        settings = FetchSettings(delay_s=0, retries=0, timeout_s=10, proxy=match[0])
        asked = [as_http(url) for url in wanted]
        list(archive.fetch(asked, settings).outcomes)
        proxy.terminate()
    yield (
        archive,
        {
            "http" + url.removeprefix("https").removeprefix("http"): one
            for url, one in wanted.items()
        },
    )


def test_every_payload_and_content_digest_is_the_expected_one(
    replayed: tuple[Archive, dict[str, dict[str, object]]],
) -> None:
    """Each recorded response comes out with the digests that the corpus lists."""
    archive, wanted = replayed
    checked = 0
    for path in archive.archive.glob("*.warc.gz"):
        for capture in survey(path).captures:
            record = wanted.get(str(capture.url))
            if record is None or capture.redirects or capture.content_id is None:
                continue
            payload, decoded = record["payload_dechunked"], record["payload_decoded"]
            assert isinstance(payload, dict)
            assert isinstance(decoded, dict)
            assert capture.payload_digest == f"sha256:{payload['sha256']}", capture.url
            assert capture.content_id == f"sha256:{decoded['sha256']}", capture.url
            checked += 1
    assert checked >= 5


def test_peers_and_verify_pass_what_was_written(
    replayed: tuple[Archive, dict[str, dict[str, object]]],
) -> None:
    """`warcio check` passes every file, FastWARC all but revisits, and `verify` finds nothing."""
    archive, _ = replayed
    found: list[str] = []
    archive.verify(
        on_finding=lambda each: found.append(f"{each.code} {each.found}"),
        on_note=lambda _note: None,
        on_capture=lambda _verdict: None,
    )
    assert found == []
    assert_peers_agree(archive)
