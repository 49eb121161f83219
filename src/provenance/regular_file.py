"""Open a file that others may have put there, and nothing that could keep its reader waiting."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file to be read, by way of links too.

    A pipe would be waited for, for ever, and a device may have no end: they are refused, unread.

    Raises:
        OSError: it cannot be read, is another thing, or no file can have that name.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except ValueError as fault:
        raise OSError(errno.EINVAL, "no name of a file", str(path)) from fault
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise
