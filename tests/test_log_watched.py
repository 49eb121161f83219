"""What a witness answers, by the specification and by what other witnesses answer.

Source: C2SP tlog-witness, add-checkpoint.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance.errors import LogFormatError, UsageError
from provenance.log.checkpoint import CosignerKey, CosigningKey, cosignatures_of
from provenance.log.note import (
    Note,
    SigningKey,
    VerifierKey,
    format_note,
    parse_note,
)
from provenance.log.submission import (
    MAX_PATH,
    MAX_SUBMISSION_BYTES,
    Submission,
    format_answer,
    format_submission,
    parse_answer,
    parse_size,
    parse_submission,
)
from provenance.log.watched import (
    MAX_KEYS,
    Refused,
    SubmissionError,
    Watched,
    format_watched,
    judge,
    parse_watched,
    watch,
    with_key,
)
from tests.witness_rig import LOG, WITNESS, Log, log_of

NINE = log_of(9)
FORKED = log_of(9, forked_at=3)


def known(log: Log = NINE, size: int | None = None) -> Watched:
    """Return what a witness knows that has cosigned so many leaves of a log, or none yet."""
    fresh = watch(LOG.name, LOG.verifier)
    return fresh if size is None else judge(parse_submission(log.request(0, size)), fresh)


def answered(raw: bytes, watched: Watched | None) -> int | Watched:
    """Return the status of a refusal, or what is known after."""
    try:
        return judge(parse_submission(raw), watched)
    except SubmissionError as fault:
        return fault.refused.value
    except LogFormatError:
        return Refused.MALFORMED.value


# As others have it

SIGSUM = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
SIGSUM_KEY = bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
SIGSUM_HEADS = {
    1: (
        "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUb"
        "IQY=",
    ),
    3: (
        "RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=",
        "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx"
        "6go=",
    ),
    5: (
        "QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=",
        "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7s"
        "Dww=",
    ),
}
ONE, TWO, THREE, FOUR = (
    f"Kg{last}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" for last in ("E", "I", "M", "Q")
)
"""Heads and hashes of a test log that other witnesses are tested with (litewitness)."""


def sigsum_request(old: int, size: int, *path: str, signature: str | None = None) -> bytes:
    root, own = SIGSUM_HEADS[size]
    lines = [f"old {old}", *path, "", SIGSUM, str(size), root, "", f"— {SIGSUM} {signature or own}"]
    return "".join(f"{line}\n" for line in lines).encode()


def test_a_log_of_another_implementation_is_cosigned_as_there() -> None:
    """The requests of litewitness' own tests, and the statuses that they are answered with."""
    watched: int | Watched = watch(SIGSUM, VerifierKey(name=SIGSUM, public=SIGSUM_KEY))
    assert isinstance(watched, Watched)
    watched = answered(sigsum_request(0, 1), watched)
    assert isinstance(watched, Watched)
    wrong = SIGSUM_HEADS[3][1].replace("6go=", "6gs=")
    assert answered(sigsum_request(1, 3, ONE, TWO, signature=wrong), watched) == 403
    assert answered(sigsum_request(1, 3, ONE, TWO), None) == 404
    assert answered(sigsum_request(1, 3), watched) == 422
    other = f"{TWO[:-4]}AAE="
    assert answered(sigsum_request(1, 3, ONE, other), watched) == 422
    watched = answered(sigsum_request(1, 3, ONE, TWO), watched)
    assert isinstance(watched, Watched)
    assert watched.head.size == 3
    stale = sigsum_request(1, 5, ONE, "+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=", FOUR)
    assert answered(stale, watched) == 409
    left = "wgiIFdZfYNv6WU1OllBKsWnLYIS/DBMqt8Uh/S4OukE="
    watched = answered(sigsum_request(3, 5, TWO, THREE, left, FOUR), watched)
    assert isinstance(watched, Watched)
    assert watched.head.root.hex()[:16] == "42bb57ad06420afa"


def test_the_key_id_of_a_log_and_a_witness_elsewhere() -> None:
    """Of the same tests: the log's id stands in its signatures, the witness' is as specified."""
    assert VerifierKey(name=SIGSUM, public=SIGSUM_KEY).key_id == bytes.fromhex("5202289b")
    seed = bytes.fromhex("31ffc2116ecbe003acaa800ab70757bd7d53206e3febef6a6d0796d95530b34f")
    witness = CosigningKey(name="example.com", seed=seed).verifier
    assert witness.public.hex() == (
        "64848ad8abed6e85981b3b3875b252b8767ebb4b02f703aca3b1e71bbd6a8e50"
    )


MULTI = (
    "old 0\n\n"
    "sigsum.org/v1/tree/985ea163f5af026723561354f51f2ebcdcf2af809ce254ccfb64aa9aadd80f90\n1\n"
    "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
    "— sigsum.org/v1/tree/985ea163f5af026723561354f51f2ebcdcf2af809ce254ccfb64aa9aadd80f90 "
    "7BKT0gOfNZ1J0So9unY3BZtm2YkPIoNYM/dce0Z2avJDs8dxN6ts9bOSwwrVrbjm6P9K3ZxpK6jJngOG6YvGGzV/lwo=\n"
).encode()


def test_a_first_request_of_another_implementation() -> None:
    """An old size of zero, no proof, and an empty line."""
    name = MULTI.decode().split("\n")[2]
    public = bytes.fromhex("52c05edad1bf5feffa81354faae59a655d9a9a1a793ed2f62c39c26c0be2aecd")
    taken = answered(MULTI, watch(name, VerifierKey(name=name, public=public)))
    assert isinstance(taken, Watched)


EXAMPLE = (
    "old 20852014\n"
    "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
    "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
    "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
    "\n"
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2"
    "q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V626"
    "7UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"
).encode()
"""The example of the specification."""


def test_the_example_of_the_specification_reads_and_writes_back() -> None:
    """Two sizes, four hashes, and a checkpoint with two signatures."""
    said = parse_submission(EXAMPLE)
    assert (said.old_size, said.checkpoint.size) == (20852014, 20852163)
    assert (len(said.path), len(said.note.signatures)) == (4, 2)
    assert format_submission(said.old_size, said.path, said.raw) == EXAMPLE


# What is cosigned


def test_a_log_that_grows_is_cosigned_from_any_size_to_any_other() -> None:
    """From each size the witness may have cosigned, zero included, to each that may follow."""
    for old in range(10):
        for new in range(old, 10):
            after = answered(NINE.request(old, new), known(size=old))
            assert isinstance(after, Watched), (old, new)
            assert after.head == NINE.head(new)


def test_only_the_log_s_own_signatures_are_kept() -> None:
    """What somebody else put below the checkpoint is ignored, and not held for the log's."""
    note = parse_note(NINE.signed(4))
    other = WITNESS.cosign(note.text, 1)
    raw = format_note(replace(note, signatures=(other, *note.signatures)))
    after = answered(format_submission(0, (), raw), known())
    assert isinstance(after, Watched)
    assert after.latest == note


def test_each_reason_has_its_status() -> None:
    """Unknown log, foreign key, larger old size, another size, another tree, no proof."""
    watched = known(size=5)
    assert answered(NINE.request(5, 7), None) == 404
    stranger = replace(NINE, key=SigningKey(name=LOG.name, seed=bytes(32)))
    assert answered(stranger.request(5, 7), watched) == 403
    assert answered(NINE.request(8, 7), watched) == 400
    assert answered(NINE.request(4, 7), watched) == 409
    assert answered(NINE.request(0, 7), watched) == 409
    assert answered(FORKED.request(5, 5), watched) == 409
    assert answered(FORKED.request(5, 7), watched) == 422
    assert answered(NINE.request(5, 7, path=()), watched) == 422
    assert answered(NINE.request(5, 7, path=NINE.path(5, 8)), watched) == 422
    assert answered(NINE.request(5, 5, path=(bytes(32),)), watched) == 422
    assert answered(NINE.request(0, 5, path=(bytes(32),)), known()) == 422
    assert answered(NINE.request(3, 4), watched) == 409  # rolled back


def test_a_log_that_was_rolled_back_learns_the_size_and_gets_nothing() -> None:
    """Neither for its smaller tree, nor when it takes the size it is told for the old one."""
    with pytest.raises(SubmissionError) as caught:
        judge(parse_submission(NINE.request(0, 4)), known(size=8))
    assert (caught.value.size, caught.value.contradicts) == (8, False)
    assert answered(NINE.request(8, 4), known(size=8)) == 400


def test_a_fork_that_the_log_signed_is_marked_as_evidence() -> None:
    """A wrong proof or root under the log's own signature contradicts; a stranger's does not."""
    for new in (5, 7):
        with pytest.raises(SubmissionError) as caught:
            judge(parse_submission(FORKED.request(5, new)), known(size=5))
        assert caught.value.contradicts
    stranger = replace(FORKED, key=SigningKey(name=LOG.name, seed=bytes(32)))
    with pytest.raises(SubmissionError) as caught:
        judge(parse_submission(stranger.request(5, 7)), known(size=5))
    assert not caught.value.contradicts


def test_a_bad_signature_by_a_known_key_is_not_made_up_for() -> None:
    """A client may refuse the whole note, and so does this witness (C2SP signed-note)."""
    note = parse_note(NINE.signed(4))
    bad = replace(note.signatures[0], raw=bytes(64))
    raw = format_note(replace(note, signatures=(*note.signatures, bad)))
    assert answered(format_submission(0, (), raw), known()) == 403


@given(st.integers(0, 9), st.integers(0, 9), st.lists(st.binary(min_size=32, max_size=32)))
def test_no_proof_but_the_right_one_moves_a_witness(old: int, new: int, path: list[bytes]) -> None:
    """Whatever stands in the proof, a fork is never cosigned."""
    fork = log_of(9, forked_at=0)
    watched = known(size=old)
    raw = format_submission(old, path[:MAX_PATH], fork.signed(new))
    after = answered(raw, watched)
    assert not isinstance(after, Watched) or old == 0


# The request, byte by byte


def as_parsed(raw: bytes) -> Submission | None:
    try:
        return parse_submission(raw)
    except LogFormatError as fault:
        assert len(str(fault)) < 1000
        return None


@given(st.binary(max_size=400))
@example(b"old 0\n\n")
@example(b"old 0\n\n\n\n")
@example(b"old 9999999999999999999\n\na\n0\n\n\xe2\x80\x94 a AAAAAAA=\n")
def test_any_bytes_are_a_request_or_refused(raw: bytes) -> None:
    """Nothing but a fault of form comes of them."""
    assert as_parsed(raw) is None or as_parsed(raw)


@given(st.data())
def test_a_request_with_any_bytes_changed_is_still_told(data: st.DataObject) -> None:
    """Cut, changed or spliced anywhere: it reads back as it was written, or is refused."""
    whole = NINE.request(5, 9)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    middle = data.draw(
        st.binary(max_size=8) | st.sampled_from([b"\n", b"\n\n", b"old ", b"\r\n", b"=", b"\0"])
    )
    raw = whole[:start] + middle + whole[end:]
    said = as_parsed(raw)
    if said is not None:
        assert format_submission(said.old_size, said.path, said.raw) == raw
        after = answered(raw, known(size=5))
        assert isinstance(after, int) or after.head == NINE.head(9)


@pytest.mark.parametrize(
    "first",
    ["old", "old ", "old 05", "old +5", "old -1", "old 5 ", " old 5", "Old 5", "old\t5", "old 5\r",
     "5", "old ٥", "old 9223372036854775808", "old 5\nold 5", "size 5"],
)  # fmt: skip
def test_the_old_size_line_has_one_form(first: str) -> None:
    """Digits without leading zeroes after `old` and one space."""
    raw = NINE.request(5, 9).replace(b"old 5\n", first.encode() + b"\n", 1)
    assert answered(raw, known(size=5)) == 400


def test_a_proof_has_a_limit_and_so_has_a_request() -> None:
    """63 hashes are read, 64 not; nor is anything that is longer than a request may be."""
    checkpoint = NINE.signed(9)
    assert format_submission(5, [bytes(32)] * MAX_PATH, checkpoint)
    with pytest.raises(LogFormatError, match="proof is too long"):
        format_submission(5, [bytes(32)] * (MAX_PATH + 1), checkpoint)
    with pytest.raises(LogFormatError, match="request is too large"):
        parse_submission(bytes(MAX_SUBMISSION_BYTES + 1))


# The answer


def test_an_answer_is_signature_lines_alone() -> None:
    """Read after the text that was cosigned; another text, or none, is refused."""
    text = parse_note(NINE.signed(9)).text
    raw = format_answer([WITNESS.cosign(text, 1700000000)])
    (said,) = cosignatures_of(parse_answer(raw, text), [WITNESS.verifier])
    assert (said.key, said.time_s) == (WITNESS.verifier, 1700000000)
    for wrong in (
        b"",
        b"\n",
        raw[:-1],
        b"x\n" + raw,
        b"\n" + raw,
        raw + b"\n",
        b"<html>\n",
        raw * 101,
    ):
        with pytest.raises(LogFormatError):
            parse_answer(wrong, text)


@given(st.binary(max_size=200))
def test_any_answer_is_signatures_or_refused(raw: bytes) -> None:
    """Nothing but a fault of form comes of it, and the text stays what it was."""
    text = parse_note(NINE.signed(9)).text
    try:
        assert parse_answer(raw, text).text == text
    except LogFormatError:
        pass
    assert parse_size(raw) is None or raw == f"{parse_size(raw)}\n".encode()


def test_signatures_by_unknown_witnesses_are_ignored() -> None:
    """Also of one with the same name; none is left where no known one has signed."""
    text = parse_note(NINE.signed(9)).text
    other = CosigningKey(name=WITNESS.name, seed=bytes(32))
    note = Note(text=text, signatures=(other.cosign(text, 1),))
    assert cosignatures_of(note, [WITNESS.verifier]) == ()
    both = replace(note, signatures=(*note.signatures, WITNESS.cosign(text, 2)))
    (said,) = cosignatures_of(both, [WITNESS.verifier])
    assert said.time_s == 2
    assert isinstance(said.key, CosignerKey)


# What is kept


@pytest.mark.parametrize("size", [None, 0, 5])
def test_what_is_kept_reads_back(size: int | None) -> None:
    """Before and after the first checkpoint, with one key and with more."""
    watched = known(size=size)
    for more in (b"\1", b"\2"):
        watched = with_key(watched, SigningKey(name="a.example", seed=more * 32).verifier)
    assert parse_watched(format_watched(watched), where="here") == watched


@given(st.data())
def test_what_is_kept_and_damaged_is_never_believed(data: st.DataObject) -> None:
    """Cut anywhere, or any byte another: nothing that is read differs from what was written."""
    whole = format_watched(known(size=5))
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    for raw in (
        whole[:at],
        whole[:at] + bytes([other]) + whole[at + 1 :],
        whole[at:] if at else b"",
    ):
        with pytest.raises(LogFormatError, match="damaged"):
            parse_watched(raw, where="here")


def test_an_older_copy_is_whole() -> None:
    """That is why it must never be put back: nothing in it tells that it is older."""
    assert parse_watched(format_watched(known(size=3)), where="here").head.size == 3


def test_what_no_log_is_called_and_too_many_keys_are_refused() -> None:
    """An origin is one line of a note."""
    for wrong in ("", "a\nb", "a\x00", "\ud800", "a\x1b"):
        with pytest.raises(UsageError, match="no log is called this"):
            watch(wrong, LOG.verifier)
    watched = known()
    assert with_key(watched, LOG.verifier) == watched
    for number in range(1, MAX_KEYS):
        watched = with_key(watched, SigningKey(name="a", seed=bytes([number]) * 32).verifier)
    with pytest.raises(UsageError, match="too many keys"):
        with_key(watched, SigningKey(name="b", seed=bytes(32)).verifier)
    assert parse_watched(format_watched(watched), where="here") == watched
