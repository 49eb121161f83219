"""Turn each way that a command can end into an exit status and at most a few plain lines."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from provenance.cli.printing import safe, say
from provenance.errors import ProvenanceError

_LONGEST = 1_200

_ADVICE = dict.fromkeys(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), ". Make room, and run the command again."
) | dict.fromkeys(
    (errno.EROFS, errno.EACCES, errno.EPERM), ". Allow it there, and run the command again."
)
"""What to do where the system refuses, by its error number."""


def ended(run: Callable[[], Any]) -> NoReturn:
    """Run a command and end the process with its status; no traceback is ever shown.

    Statuses are those of `docs/cli.md`. Closed standard streams are opened to nowhere first, so
    that no file of the archive gets the number of one, and words that the terminal's encoding
    lacks are escaped.
    """
    _hold_standard_streams()
    try:
        status = run()
        sys.stdout.flush() if sys.stdout else None
    except (KeyboardInterrupt, click.Abort):
        _interrupted()
    except click.ClickException as fault:
        _tell_usage(fault)
        sys.exit(fault.exit_code)
    except ProvenanceError as fault:
        for line in getattr(fault, "faults", ()):
            say(_short(line))
        _tell(str(fault))
        sys.exit(fault.exit_code)
    except OSError as fault:
        place = f"{fault.filename}: " if fault.filename else ""
        _tell(f"{place}{fault.strerror or fault}{_ADVICE.get(fault.errno or 0, '')}")
        _stop_writing()
        sys.exit(1)
    except Exception as fault:
        _tell(_defect(fault))
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _hold_standard_streams() -> None:
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):
        say(f"error: {_short(text)}")


def _short(text: str) -> str:
    shown = safe(text)
    if len(shown) <= _LONGEST:
        return shown
    return f"{shown[: _LONGEST // 2]} … {shown[-_LONGEST // 2 :]}"


def _tell_usage(fault: click.ClickException) -> None:
    if isinstance(fault, click.exceptions.NoArgsIsHelpError):
        say(fault.format_message())
        return
    context = getattr(fault, "ctx", None)
    if context is not None:
        say(context.get_usage())
        say(f"Try '{context.command_path} --help'.")
    _tell(fault.format_message())


def _interrupted() -> NoReturn:
    """End at once: the command has closed what it was reading from, so its files are sealed.

    Nothing is waited for: not for threads that wait for a silent server, not for a reader of
    stdout. Ctrl-C once more ends even this.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        say("interrupted; what was reported as saved is kept.")
    os._exit(130)


def _stop_writing() -> None:
    """Send what is still in the buffers nowhere, so that the end of the process is silent."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)


def _defect(fault: Exception) -> str:
    last = traceback.extract_tb(fault.__traceback__)[-1]
    where = "/".join(Path(last.filename).parts[-2:])
    what = f"{type(fault).__name__}: {fault}".removesuffix(": ")
    return (
        f"a defect of the program, {what} (at {where}:{last.lineno}). What was reported as saved "
        "is kept. Please report it to the maintainers with the command that you gave."
    )
