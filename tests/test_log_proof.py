"""Proofs that stand alone: written, read, verified, and refused after any change."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log.checkpoint import Checkpoint, CosigningKey, sign_checkpoint
from provenance.log.merkle import CompactRange, hash_leaf
from provenance.log.note import SigningKey, format_note, parse_note
from provenance.log.proof import Proof, format_proof, make_proof, parse_proof, verify_proof
from provenance.log.tiles import StoredHashes, Tile, grow

LOG = SigningKey(name="example.com/fancylog", seed=bytes(32))
WITNESS = CosigningKey(name="witness1.example", seed=bytes([3]) * 32)
ORIGIN = LOG.name


class Log:
    """A log in memory: its tiles, and the checkpoint of its present size."""

    def __init__(self, size: int) -> None:
        self.entries = [f"entry {number}\n".encode() for number in range(size)]
        self._files = dict(grow(0, self.entries, self.read))
        self.hashes = StoredHashes(size, self.read)
        head = CompactRange.from_nodes(size, self.hashes)
        checkpoint = Checkpoint(origin=ORIGIN, size=size, root=head.root())
        self.checkpoint = sign_checkpoint(checkpoint, [LOG])

    def read(self, tile: Tile) -> bytes:
        return self._files[tile]

    def proof(self, index: int) -> Proof:
        return make_proof(index, self.checkpoint, self.hashes)


ELEVEN = Log(11)


@given(st.integers(1, 600), st.data())
def test_a_proof_verifies_with_entry_and_key_alone(size: int, data: st.DataObject) -> None:
    """Any entry of a log of any size, after writing and reading."""
    log = Log(size)
    index = data.draw(st.integers(0, size - 1))
    proof = parse_proof(format_proof(log.proof(index)))
    opened = verify_proof(proof, log.entries[index], [LOG.verifier])
    assert (opened.checkpoint.size, opened.checkpoint.origin) == (size, ORIGIN)
    assert proof == log.proof(index)


def test_the_form_of_the_specification() -> None:
    """Header, extra data, index, hashes, an empty line, the checkpoint as it is."""
    proof = replace(ELEVEN.proof(8), extra=b"age-v1.2.1")
    hashes = [base64.b64encode(each).decode() for each in proof.path]
    assert format_proof(proof).decode() == (
        "c2sp.org/tlog-proof@v1\n"
        "extra YWdlLXYxLjIuMQ==\n"
        "index 8\n"
        f"{hashes[0]}\n{hashes[1]}\n{hashes[2]}\n"
        "\n"
        f"{ELEVEN.checkpoint.decode()}"
    )
    assert proof.path[0] == hash_leaf(ELEVEN.entries[9])


def test_a_log_of_one_entry_has_a_proof_without_hashes() -> None:
    """The entry is the root: header, index, empty line, checkpoint."""
    log = Log(1)
    raw = format_proof(log.proof(0))
    assert raw == b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + log.checkpoint
    assert verify_proof(parse_proof(raw), log.entries[0], [LOG.verifier])


def test_a_proof_keeps_cosignatures() -> None:
    """What witnesses said comes with it, and is verified for those that are known."""
    note = parse_note(ELEVEN.checkpoint)
    cosigned = replace(note, signatures=(*note.signatures, WITNESS.cosign(note.text, 1679315147)))
    proof = make_proof(3, format_note(cosigned), ELEVEN.hashes)
    opened = verify_proof(proof, ELEVEN.entries[3], [LOG.verifier, WITNESS.verifier])
    assert [(each.key.name, each.time_s) for each in opened.cosigned] == [
        ("witness1.example", 1679315147)
    ]
    assert verify_proof(proof, ELEVEN.entries[3], [LOG.verifier]).cosigned == ()


@pytest.mark.parametrize("index", [0, 7, 10])
def test_any_bit_of_a_proof_counts(index: int) -> None:
    """Header, index, hashes, size, root, signature: any one bit changed, and it is refused."""
    raw = format_proof(ELEVEN.proof(index))
    entry = ELEVEN.entries[index]
    for bit in range(len(raw) * 8):
        altered = (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(len(raw), "big")
        with pytest.raises((LogFormatError, ProofError)):
            verify_proof(parse_proof(altered), entry, [LOG.verifier])


@given(st.integers(0, 10), st.data())
def test_no_byte_can_be_added_cut_or_moved(index: int, data: st.DataObject) -> None:
    """A proof cut, added to or with two parts exchanged anywhere is refused."""
    raw = format_proof(ELEVEN.proof(index))
    first, second = sorted(
        data.draw(st.lists(st.integers(0, len(raw)), min_size=2, max_size=2, unique=True))
    )
    added = data.draw(st.binary(min_size=1, max_size=4))
    cut = raw[:first] + raw[second:]
    for altered in (cut, raw[:first] + added + raw[first:], raw[first:second] + cut):
        if altered == raw:
            continue
        with pytest.raises((LogFormatError, ProofError)):
            verify_proof(parse_proof(altered), ELEVEN.entries[index], [LOG.verifier])


@given(st.integers(0, 10), st.data())
def test_another_entry_is_refused(index: int, data: st.DataObject) -> None:
    """Any other bytes, another entry's among them, are not what the log holds there."""
    proof, entry = ELEVEN.proof(index), ELEVEN.entries[index]
    bit = data.draw(st.integers(0, len(entry) * 8 - 1))
    altered = (int.from_bytes(entry, "big") ^ 1 << bit).to_bytes(len(entry), "big")
    neighbour = ELEVEN.entries[index - 1]
    for other in (altered, neighbour, entry[:-1], entry + b"\n", b""):
        with pytest.raises(ProofError, match="do not give the root"):
            verify_proof(proof, other, [LOG.verifier])


@given(st.integers(0, 10), st.integers(0, 10))
def test_another_index_is_refused(index: int, other: int) -> None:
    """The place in the log is part of what is proved."""
    proof = replace(ELEVEN.proof(index), index=other)
    if index == other:
        assert verify_proof(proof, ELEVEN.entries[index], [LOG.verifier])
    else:
        with pytest.raises(ProofError):
            verify_proof(proof, ELEVEN.entries[index], [LOG.verifier])


def test_another_size_is_refused() -> None:
    """Size and root are signed together, so that neither can be exchanged."""
    larger = Log(12)
    for proof, entry in ((ELEVEN.proof(0), ELEVEN.entries[0]), (larger.proof(0), b"entry 0\n")):
        size = parse_note(proof.checkpoint).text.split("\n")[1].encode()
        altered = proof.checkpoint.replace(b"\n" + size + b"\n", b"\n13\n")
        with pytest.raises(ProofError, match="does not fit the text"):
            verify_proof(replace(proof, checkpoint=altered), entry, [LOG.verifier])
    with pytest.raises(ProofError):
        verify_proof(
            replace(ELEVEN.proof(10), checkpoint=larger.checkpoint),
            ELEVEN.entries[10],
            [LOG.verifier],
        )


def test_extra_data_is_not_proved() -> None:
    """It can be exchanged or taken away without a trace: nothing may rest on it."""
    proof = ELEVEN.proof(2)
    for extra in (None, b"one", b"two"):
        again = parse_proof(format_proof(replace(proof, extra=extra)))
        assert again.extra == extra
        assert verify_proof(again, ELEVEN.entries[2], [LOG.verifier])


def test_another_log_s_key_does_not_verify() -> None:
    """Without a signature by a known key of this log, hashes prove nothing."""
    proof, entry = ELEVEN.proof(2), ELEVEN.entries[2]
    stranger = SigningKey(name=ORIGIN, seed=bytes([9]) * 32)
    with pytest.raises(ProofError, match="not signed by a known key"):
        verify_proof(proof, entry, [stranger.verifier])
    with pytest.raises(ProofError, match="not signed by a known key"):
        verify_proof(proof, entry, [])
    with pytest.raises(ProofError, match="another log"):
        verify_proof(proof, entry, [LOG.verifier], origin="example.com/plainlog")


HASH = base64.b64encode(bytes(32)).decode()
END = f"\n{ELEVEN.checkpoint.decode()}"
HEADER = "c2sp.org/tlog-proof@v1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a.tlog-proof, line 1"),
        ("not a proof", "a.tlog-proof, line 1"),
        (f"c2sp.org/tlog-proof@v2\nindex 0\n{END}", "a.tlog-proof, line 1"),
        (f" {HEADER}\nindex 0\n{END}", "a.tlog-proof, line 1"),
        (f"{HEADER} \nindex 0\n{END}", "a.tlog-proof, line 1"),
        (f"{HEADER}\r\nindex 0\r\n\r\n{END}", "a.tlog-proof, line 1"),
        (f"\N{ZERO WIDTH NO-BREAK SPACE}{HEADER}\nindex 0\n{END}", "a.tlog-proof, line 1"),
        (HEADER, "an empty line"),
        (f"{HEADER}\n", "an empty line"),
        (f"{HEADER}\nindex 0\n{HASH}\n", "an empty line"),
        (f"{HEADER}\n{END}", "a.tlog-proof, line 2: not a proof: expected index"),
        (f"{HEADER}\nindex\n{END}", "line 2"),
        (f"{HEADER}\nindex \n{END}", "line 2"),
        (f"{HEADER}\nindex notanumber\n{END}", "line 2"),
        (f"{HEADER}\nindex -5\n{END}", "line 2"),
        (f"{HEADER}\nindex 00\n{END}", "line 2"),
        (f"{HEADER}\nindex  0\n{END}", "line 2"),
        (f"{HEADER}\nindex 0 \n{END}", "line 2"),
        (f"{HEADER}\nindex {2**63}\n{END}", "line 2"),
        (f"{HEADER}\nIndex 0\n{END}", "line 2"),
        (f"{HEADER}\n{HASH}\nindex 0\n{END}", "line 2"),
        (f"{HEADER}\nextra\nindex 0\n{END}", "line 2"),
        (f"{HEADER}\nextra \nindex 0\n{END}", "line 2"),
        (f"{HEADER}\nextra !!notbase64!!\nindex 0\n{END}", "line 2"),
        (f"{HEADER}\nextra AR==\nindex 0\n{END}", "line 2"),
        (f"{HEADER}\nextra AQ==\n{END}", "line 3"),
        (f"{HEADER}\nextra AQ==\nextra AQ==\nindex 0\n{END}", "line 3"),
        (f"{HEADER}\nindex 0\nextra AQ==\n{END}", "line 3"),
        (f"{HEADER}\nindex 0\nindex 0\n{END}", "line 3"),
        (f"{HEADER}\nindex 0\n{HASH}\n{HASH[:-1]}\n{END}", "line 4"),
        (f"{HEADER}\nindex 0\n{HASH} \n{END}", "line 3"),
        (f"{HEADER}\nindex 0\nAAAA\n{END}", "line 3"),
        (f"{HEADER}\nindex 0\n{HASH}{HASH}\n{END}", "line 3"),
        (f"{HEADER}\nindex 0\n" + f"{HASH}\n" * 64 + END, "line 66"),
        (
            f"{HEADER}\nindex 11\n{END}",
            "for no entry of the log: expected an index from 0 to below 11",
        ),
        (f"{HEADER}\nindex 0\n\n", "a.tlog-proof: checkpoint: not a checkpoint"),
        (f"{HEADER}\nindex 0\n\n{END}", "a.tlog-proof: checkpoint: not a checkpoint"),
        (f"{HEADER}\nindex 0\n\ncheckpoint\n", "a.tlog-proof: checkpoint: not a checkpoint"),
        (f"{HEADER}\nindex 0\n{END}\n", "a.tlog-proof: checkpoint, line 7: not a signed note"),
        (f"{HEADER}\nindex 0\n{END[:-1]}", "a.tlog-proof: checkpoint: not a signed note"),
    ],
)
def test_malformed_proofs_are_refused(text: str, said: str) -> None:
    """What is not of the form is refused, and the line is named."""
    with pytest.raises(LogFormatError, match=said):
        parse_proof(text.encode(), where="a.tlog-proof")


@given(st.binary(max_size=120))
def test_what_is_read_is_written_back(raw: bytes) -> None:
    """Whatever is taken for a proof is written back byte for byte, and else is refused."""
    for each in (raw, HEADER.encode() + b"\nindex 0\n" + raw + END.encode()):
        try:
            proof = parse_proof(each)
        except LogFormatError:
            continue
        assert format_proof(proof) == each


@pytest.mark.parametrize(
    "changes",
    [
        {"index": -1},
        {"index": 11},
        {"index": 2**63},
        {"path": (bytes(31),)},
        {"path": (bytes(32),) * 64},
        {"extra": b""},
        {"checkpoint": b""},
        {"checkpoint": ELEVEN.checkpoint[:-1]},
        {"checkpoint": b"\n" + ELEVEN.checkpoint},
    ],
)
def test_what_cannot_be_read_is_not_written(changes: dict[str, object]) -> None:
    """A proof that no reader would take is refused when it is written."""
    with pytest.raises(LogFormatError):
        format_proof(replace(ELEVEN.proof(0), **changes))  # type: ignore[arg-type]


def test_no_proof_for_what_is_not_there() -> None:
    """An index past the end of the checkpoint's tree, or a checkpoint that is none."""
    for index in (-1, 11):
        with pytest.raises(UsageError, match="no such leaf"):
            ELEVEN.proof(index)
    with pytest.raises(LogFormatError):
        make_proof(0, b"checkpoint\n", ELEVEN.hashes)


def test_an_older_checkpoint_has_proofs_too() -> None:
    """Tiles of a larger tree serve for every size that was signed, while those tiles are kept."""
    larger = Log(700)
    older = Log(512)
    proof = make_proof(300, older.checkpoint, larger.hashes)
    assert proof == older.proof(300)
    assert verify_proof(proof, larger.entries[300], [LOG.verifier])


def test_a_proof_that_is_too_large_is_not_read() -> None:
    """Two megabytes at most."""
    with pytest.raises(LogFormatError, match="too large"):
        parse_proof(bytes(2_000_001))


def test_a_proof_is_small() -> None:
    """In a log of a million leaves, 20 hashes: within a few kilobytes."""
    proof = Proof(index=0, path=(bytes(32),) * 20, checkpoint=ELEVEN.checkpoint)
    assert len(format_proof(proof)) < 2000
