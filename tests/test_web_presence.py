"""The browser tests are skipped where there is no browser, and fail where one is required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")

ROOT = Path(__file__).parents[1]
ONE = "tests/test_web_browser.py::test_the_trap_notices"


def run_without_a_browser(path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(path), **more}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ONE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_without_a_browser_its_tests_are_skipped_and_say_why(tmp_path: Path) -> None:
    """A machine without a Chromium passes, and the summary names what is lacking."""
    ended = run_without_a_browser(tmp_path, PROVENANCE_BROWSER="")
    assert ended.returncode == 0, ended.stdout
    assert "1 skipped" in ended.stdout
    assert "there is no Chromium on this machine" in ended.stdout


def test_where_a_browser_is_required_its_tests_fail_without_one(tmp_path: Path) -> None:
    """What CI sets turns the skip into a failure with the same words."""
    ended = run_without_a_browser(tmp_path, PROVENANCE_BROWSER="required")
    assert ended.returncode == 1, ended.stdout
    assert "there is no Chromium on this machine" in ended.stdout


def test_ci_requires_the_browser_before_its_tests_run() -> None:
    """`.ci/run` sets the requirement, and sets it before the step with the tests."""
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert script.index("export PROVENANCE_BROWSER=required") < script.index("make test")
