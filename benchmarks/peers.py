"""Install the programs that ours is measured against, in an environment of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
NGINX = ("apt-get", "install", "--yes", "--no-install-recommends", "nginx-light")


def program(name: str) -> str:
    """Return the path of a peer."""
    return str(PEERS / "bin" / name)


def install() -> None:
    """Install the peers from their lock, unless they are there."""
    done, lock = PEERS / ".installed", HERE / "peers.txt"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("installing the peers …", file=sys.stderr)
    shutil.rmtree(PEERS, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", PEERS], check=True)
    subprocess.run(
        _pip("install", "--quiet", "--require-hashes", "--no-deps", "-r", str(lock)), check=True
    )
    done.touch()


def install_nginx() -> None:
    """Install nginx where this may be done; without it the asyncio origin serves."""
    if shutil.which("nginx") or not shutil.which("apt-get") or os.geteuid():
        return
    print("installing nginx …", file=sys.stderr)
    subprocess.run(NGINX, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def versions() -> str:
    """Return the versions of the peers."""
    freeze = subprocess.run(_pip("freeze"), capture_output=True, text=True, check=False)
    wanted = ("warcio", "cdxj", "FastWARC", "fastwarc")
    return ", ".join(line for line in freeze.stdout.split() if line.startswith(wanted))


def first_line(command: Sequence[str | Path]) -> str:
    """Return the first line that a program says of itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return ((done.stdout or done.stderr).splitlines() or [""])[0]


def _pip(*arguments: str) -> list[str]:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    return [*pip, "--python", str(PEERS / "bin/python"), *arguments]
