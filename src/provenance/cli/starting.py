"""Import what a command needs, without what costs time and brings nothing."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Look for no garbage while modules are imported, nor ever in what they brought.

    It stays until the end; to go through it, time and again and once more at the end, is a tenth of
    what a short command takes.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
