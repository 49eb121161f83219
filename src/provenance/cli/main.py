"""Start the program: quiet from its first instant, then the group of commands takes over."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from provenance.cli.starting import importing


def main() -> None:
    """Run the command line on the process's own arguments; it ends the process."""
    with _silent_interrupt(), importing():
        from provenance.cli.group import group

    group()


@contextlib.contextmanager
def _silent_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process without words while modules are still being imported."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler:  # ignored, as under nohup, or the caller's own
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, usual)
