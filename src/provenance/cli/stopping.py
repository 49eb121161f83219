"""Let Ctrl-C, or a termination signal, end a run cleanly; a second one ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from provenance.cli.printing import say

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Stopping:
    """Whether the run was asked to stop."""

    asked: bool = False


@contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Iterator[Stopping]:
    """Call `stop` at the first signal, raise `KeyboardInterrupt` at the next."""
    stopping = Stopping()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stopping.asked:
            raise KeyboardInterrupt
        stopping.asked = True
        stop()
        say()  # what stands on the line is the terminal's ^C, or a line of progress
        say("stopping; what is under way gets a moment. Once more ends it at once.")

    earlier = {each: signal.signal(each, on_signal) for each in _SIGNALS}
    try:
        yield stopping
    finally:
        for each, handler in earlier.items():
            signal.signal(each, handler)
