"""Write a private key to a file that nobody else can read, and read it back.

The file holds one signer key line: an operator's (`note.SigningKey.line`), or a witness'
(`checkpoint.CosigningKey.line`). A key never lies inside an archive,
which is made to be copied and published, and no file is ever overwritten. The key is an argument,
and so is the chance that it was made with.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from provenance.errors import StorageError, UsageError
from provenance.log.checkpoint import (
    CosignerKey,
    CosigningKey,
    parse_cosigner_key,
    parse_cosigning_key,
)
from provenance.log.folder import read_given
from provenance.log.note import SigningKey, parse_signing_key

_MAX_FILE_BYTES = 4096

_Key = TypeVar("_Key")


def write_key_file(path: Path, key: SigningKey | CosigningKey, *, root: Path | None = None) -> None:
    """Make the file `path`, readable by its owner alone, with a new key in it.

    Folders that are missing are made, for the owner alone. `root` is the archive root that the key
    must not lie in, where one is known.

    Raises:
        UsageError: the file is there already, or lies inside an archive; nothing is written.
        StorageError: the disk refused; no file is left.
    """
    _refuse_secret(path)
    refuse_inside(path, root, what="a key")
    try:
        _make_folder(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise UsageError(
            "there is a file of this name already",
            where=str(path),
            hint="A key is never overwritten; give another name, or move the file away.",
        ) from None
    except OSError as fault:
        raise _refused(path, fault) from fault
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(f"{key.line}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        path.unlink(missing_ok=True)
        raise _refused(path, fault) from fault


def read_key_file(path: Path, *, root: Path | None = None) -> SigningKey:
    """Return the operator's key in a file that only its owner can read.

    Raises:
        UsageError: there is none, others can read or write it, it lies inside an archive, or it
            holds no operator's key.
        StorageError: it cannot be read.
    """
    return _read(path, parse_signing_key, root)


def read_witness_key_file(path: Path) -> CosigningKey:
    """Return the witness' key in a file that only its owner can read.

    Raises:
        UsageError, StorageError: as for `read_key_file`.
    """
    return _read(path, parse_cosigning_key, None)


def read_any_key_file(path: Path) -> SigningKey | CosigningKey:
    """Return the key, of either kind, in a file that only its owner can read.

    Raises:
        UsageError, StorageError: as for `read_key_file`.
    """

    def parse(line: str) -> SigningKey | CosigningKey:
        try:
            return parse_signing_key(line)
        except UsageError as fault:
            try:
                return parse_cosigning_key(line)
            except UsageError:
                raise fault from None

    return _read(path, parse, None)


def public_witness_key(given: str) -> CosignerKey:
    """Return a witness' public key, given by its line or by the name of a file that has it.

    Raises:
        UsageError: it is no such line, or a log's key.
        StorageError: it is no line, and no file can be read.
    """
    line = given.strip()
    if "+" not in line or _is_file(given):
        line = read_given(Path(given))[: _MAX_FILE_BYTES + 1].decode("utf-8", "replace").strip()
    return parse_cosigner_key(line)


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except OSError:  # a line is too long for a name
        return False


def _read(path: Path, parse: Callable[[str], _Key], root: Path | None) -> _Key:
    _refuse_secret(path)
    refuse_inside(path, root, what="a key")
    try:
        raw = _read_secret(path)
    except FileNotFoundError:
        raise UsageError(
            "no key", where=str(path), hint="Make one, or name the file that has it."
        ) from None
    except OSError as fault:
        raise StorageError(f"cannot read the key ({fault.strerror})", where=str(path)) from fault
    try:
        return parse(raw.decode("utf-8", "replace").removesuffix("\n"))
    except UsageError as fault:
        hint = fault.hint
        if "another kind" in fault.what:
            hint = "`provenance key new` makes an operator's key, with --witness a witness'."
        raise UsageError(fault.what, where=str(path), expected=fault.expected, hint=hint) from None


def _refuse_secret(path: Path) -> None:
    """Refuse a key in the place of the name of its file, before any message repeats it."""
    if "PRIVATE+KEY" in str(path):
        raise UsageError(
            "a private key was given where the name of its file is wanted",
            hint="Put it into a file of mode 600; what was given may stand in histories and logs.",
        )


def _read_secret(path: Path) -> bytes:
    # Not to wait for ever where the name is that of a pipe.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise UsageError("not a key", where=str(path), expected="a plain file")
        # Before a byte of it is read, so that a key that is no secret is never used.
        if mode & 0o077:
            raise UsageError(
                "others than its owner may use the key",
                where=str(path),
                expected="a file of mode 600",
                found=f"mode {stat.S_IMODE(mode):03o}",
                hint="If nobody else has read it, run chmod 600 on it; else make a new key.",
            )
        return os.read(handle, _MAX_FILE_BYTES + 1)
    finally:
        os.close(handle)


def refuse_inside(path: Path, root: Path | None, *, what: str) -> None:
    """Refuse a place below `root`, or below any folder that has the shape of an archive root.

    Raises:
        UsageError: names the archive root that `what` may not lie in.
    """
    place = path.resolve()
    for folder in place.parents:
        known = root is not None and folder == root.resolve()
        if known or all((folder / name).is_dir() for name in ("seeds", "archive", "metadata")):
            raise UsageError(
                f"{what} may not lie inside an archive, which is made to be copied",
                where=str(path),
                found=f"the archive root {folder}",
                hint="Name a place outside it.",
            )


def _make_folder(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def _refused(path: Path, fault: OSError) -> StorageError:
    return StorageError(
        f"cannot write the key ({fault.strerror})",
        where=str(fault.filename or path),
        hint="No key was made.",
    )
