"""Name the reasons for which a time-stamp is refused, and carry them to people. Pure."""

from __future__ import annotations

from enum import Enum

from provenance.errors import ProvenanceError


class Reason(Enum):
    """Why a time-stamp is refused: one value for each check, stable for other programs."""

    NOT_READABLE = "not_readable"
    NOT_GRANTED = "not_granted"
    WRONG_ALGORITHM = "wrong_algorithm"
    WRONG_IMPRINT = "wrong_imprint"
    WRONG_NONCE = "wrong_nonce"
    WRONG_POLICY = "wrong_policy"
    WRONG_TIME = "wrong_time"
    NO_SIGNER = "no_signer"
    BAD_SIGNATURE = "bad_signature"
    NOT_BOUND = "not_bound"
    WRONG_PURPOSE = "wrong_purpose"
    NOT_VALID_THEN = "not_valid_then"
    NOT_TRUSTED = "not_trusted"
    OBJECTED = "objected"


class TimestampError(ProvenanceError):
    """A time-stamp is refused; `reason` says by which check."""

    def __init__(
        self,
        reason: Reason,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, expected=expected, found=found, hint=hint)
        self.reason = reason
