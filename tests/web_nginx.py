"""A real nginx on loopback, with the configurations that `docs/publishing.md` shows."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "publishing.md"
PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")

_AROUND = """daemon off; worker_processes 1; {user} pid {state}/pid; error_log {state}/error warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {state}/1; proxy_temp_path {state}/2; fastcgi_temp_path {state}/3;
  uwsgi_temp_path {state}/4; scgi_temp_path {state}/5;
{server}
}}
"""


def lacking(reason: str) -> NoReturn:
    """Skip the test, or let it fail where `PROVENANCE_NGINX=required` says so, as in CI."""
    if os.environ.get("PROVENANCE_NGINX") == "required":
        pytest.fail(f"{reason}, and PROVENANCE_NGINX=required", pytrace=False)
    pytest.skip(f"{reason}; the tests that publish through it need it")


def shown_configuration(heading: str) -> str:
    """Return the first `nginx` block below a heading of the page."""
    section = PAGE.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    block = re.search(r"^```nginx\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block is not None, heading
    return block[1]


@contextlib.contextmanager
def nginx(server: str, state: Path) -> Iterator[str]:
    """Run nginx with a configuration of the page; give its address without a slash at the end.

    The socket is opened here and handed over, so that nothing has to be waited for.
    """
    program = shutil.which("nginx", path=os.pathsep.join((os.environ["PATH"], *PLACES)))
    if program is None:
        lacking("there is no nginx on this machine")
    types = [path for path in _types(program) if path.is_file()]
    state.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert server.count("listen 80;") == 1
        shown = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
        shown = shown.replace("include mime.types;", f"include {types[0]};")
        config = state / "nginx.conf"
        # Workers of a root's nginx become another user, who may not read a test's folder.
        user = "" if os.geteuid() else "user root;"
        config.write_text(_AROUND.format(state=state, server=shown, user=user))
        process = subprocess.Popen(
            [program, "-p", str(state), "-c", str(config), "-e", str(state / "error")],
            env={**os.environ, "NGINX": f"{listening.fileno()};"},
            pass_fds=[listening.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    said = (state / "error").read_text("utf-8") if (state / "error").exists() else ""
    assert "[emerg]" not in said and "[alert]" not in said, said


def _types(program: str) -> Iterator[Path]:
    told = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"--conf-path=(\S+)", told)
    if found:
        yield Path(found[1]).parent / "mime.types"
    yield Path("/etc/nginx/mime.types")
