"""Checkpoints and cosignatures, against a real log's, and against every change to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log import ed25519
from provenance.log.checkpoint import (
    Checkpoint,
    CosignerKey,
    CosigningKey,
    cosigned_message,
    format_checkpoint,
    open_checkpoint,
    parse_checkpoint,
    parse_cosigning_key,
    parse_key,
    sign_checkpoint,
)
from provenance.log.merkle import EMPTY_ROOT
from provenance.log.note import (
    Note,
    SigningKey,
    VerifierKey,
    format_key_line,
    format_note,
    key_id_of,
    parse_note,
    parse_signing_key,
    parse_verifier_key,
)

REAL = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
""".encode()  # noqa: E501
"""A checkpoint of a public staging log of Certificate Transparency, with cosignatures."""

REAL_LOG = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
REAL_WITNESSES = (
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "transparency.dev/DEV:witness-little-garden+d8042a87+"
    "BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
)

SOFA = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""
"""The example of C2SP tlog-checkpoint and tlog-cosignature."""

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
LOG = SigningKey(name="example.com/behind-the-sofa", seed=bytes(32))
WITNESS = CosigningKey(name="witness.example", seed=bytes([7]) * 32)
LINES = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=30)
CHECKPOINTS = st.builds(
    lambda origin, size, root, extensions: Checkpoint(
        origin=origin, size=size, root=root if size else EMPTY_ROOT, extensions=tuple(extensions)
    ),
    LINES,
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(LINES, max_size=2),
)


def with_signatures(raw: bytes, *more: CosigningKey, time_s: int = 1679315147) -> bytes:
    """Return a checkpoint with cosignatures added, as a witness would."""
    note = parse_note(raw)
    cosignatures = (key.cosign(note.text, time_s) for key in more)
    return format_note(replace(note, signatures=(*note.signatures, *cosignatures)))


def test_a_real_checkpoint_verifies() -> None:
    """The log's Ed25519 signature and four witnesses' cosignatures, among others."""
    keys = [parse_key(REAL_LOG), *map(parse_key, REAL_WITNESSES)]
    opened = open_checkpoint(REAL, keys)
    assert opened.checkpoint == Checkpoint(
        origin="arche2025h1.staging.ct.transparency.dev",
        size=1432088532,
        root=bytes.fromhex("53b58cefd8ebcf2846679fc65014e933b373c1dc9f171eb5b77468be0702e11a"),
    )
    assert [key.line for key in opened.signed_by] == [REAL_LOG]
    assert sorted(each.key.line for each in opened.cosigned) == sorted(REAL_WITNESSES)
    assert {each.time_s for each in opened.cosigned} == {0x6A122120}
    assert format_note(opened.note) == REAL


def test_a_real_checkpoint_of_another_size_does_not_verify() -> None:
    """Neither the log's signature nor any cosignature fits another size."""
    altered = REAL.replace(b"\n1432088532\n", b"\n1432088533\n")
    for line in (REAL_LOG, *REAL_WITNESSES):
        with pytest.raises(ProofError, match="does not fit the text"):
            open_checkpoint(altered, [parse_key(line)])


def test_the_example_of_the_specification() -> None:
    """Three lines: origin, size, root."""
    checkpoint = parse_checkpoint(SOFA)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert format_checkpoint(checkpoint) == SOFA
    assert cosigned_message(SOFA, 1679315147) == (
        b"cosignature/v1\n"
        b"time 1679315147\n"
        b"example.com/behind-the-sofa\n"
        b"20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


@given(CHECKPOINTS)
def test_reading_gives_what_was_written(checkpoint: Checkpoint) -> None:
    """parse ∘ format is the identity, extension lines kept."""
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint


@given(CHECKPOINTS, st.integers(0, 2**63 - 1))
def test_what_is_signed_and_cosigned_verifies(checkpoint: Checkpoint, time_s: int) -> None:
    """By the log's key and the witness', at the instant that the cosignature states."""
    raw = with_signatures(sign_checkpoint(checkpoint, [LOG]), WITNESS, time_s=time_s)
    opened = open_checkpoint(raw, [LOG.verifier, WITNESS.verifier], origin=checkpoint.origin)
    assert opened.checkpoint == checkpoint
    assert opened.signed_by == (LOG.verifier,)
    assert [(each.key, each.time_s) for each in opened.cosigned] == [(WITNESS.verifier, time_s)]


@given(st.text(alphabet="a01+/=\n ", max_size=60))
def test_what_is_read_is_written_back(text: str) -> None:
    """Whatever is taken for a checkpoint is written back the same."""
    for each in (text, f"origin\n{text}", f"origin\n1\n{ROOT}\n{text}"):
        try:
            checkpoint = parse_checkpoint(each)
        except LogFormatError:
            continue
        assert format_checkpoint(checkpoint) == each


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "three or more lines"),
        ("\n", "three or more lines"),
        (f"origin\n1\n{ROOT}", "three or more lines"),
        ("origin\n1\n", "three or more lines"),
        (f"\n1\n{ROOT}\n", "three or more lines"),
        (f"origin\n1\n\n{ROOT}\n", "three or more lines"),
        (f"origin\n1\n{ROOT}\n\n", "three or more lines"),
        (f"origin\n1\n{ROOT}\n\nmore\n", "three or more lines"),
        (f"origin\n\n{ROOT}\n", "three or more lines"),
        (f"origin\n01\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n+1\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n-1\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n1 \n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n1_0\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n1e3\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n٣\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n{2**63}\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n{10**400}\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n0x1\n{ROOT}\n", "checkpoint, line 2: not the size"),
        (f"origin\n1\n{ROOT[:-1]}\n", "checkpoint, line 3: not a root"),
        (f"origin\n1\n{ROOT[:-2]}J=\n", "checkpoint, line 3: not a root"),
        (f"origin\n1\n{ROOT} \n", "checkpoint, line 3: not a root"),
        (f"origin\n1\n{ROOT.replace('/', '_')}\n", "checkpoint, line 3: not a root"),
        ("origin\n1\nAQ==\n", "checkpoint, line 3: not a root"),
        (f"origin\n1\n{'A' * 44}\n", "checkpoint, line 3: not a root"),
        (f"origin\n0\n{ROOT}\n", "checkpoint, line 3: not the root of the tree without leaves"),
    ],
)
def test_malformed_checkpoints_are_refused(text: str, said: str) -> None:
    """What is not of the form is refused, and the line is named."""
    with pytest.raises(LogFormatError, match=said):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(origin="", size=1, root=bytes(32)),
        Checkpoint(origin="a\nb", size=1, root=bytes(32)),
        Checkpoint(origin="a", size=-1, root=bytes(32)),
        Checkpoint(origin="a", size=2**63, root=bytes(32)),
        Checkpoint(origin="a", size=1, root=bytes(31)),
        Checkpoint(origin="a", size=0, root=bytes(32)),
        Checkpoint(origin="a", size=1, root=bytes(32), extensions=("",)),
        Checkpoint(origin="a", size=1, root=bytes(32), extensions=("b\nc",)),
        Checkpoint(origin="a\x00", size=1, root=bytes(32)),
        Checkpoint(origin="a\r", size=1, root=bytes(32)),
    ],
)
def test_what_cannot_be_read_is_not_signed(checkpoint: Checkpoint) -> None:
    """A checkpoint that no reader would take is refused when it is signed."""
    with pytest.raises(LogFormatError):
        sign_checkpoint(checkpoint, [LOG])


def test_any_bit_of_a_checkpoint_counts() -> None:
    """Of one signed by its log alone: any one bit changed, and it is refused."""
    raw = sign_checkpoint(parse_checkpoint(SOFA), [LOG])
    assert open_checkpoint(raw, [LOG.verifier])
    for bit in range(len(raw) * 8):
        altered = (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(len(raw), "big")
        with pytest.raises((LogFormatError, ProofError)):
            open_checkpoint(altered, [LOG.verifier])


def test_any_bit_of_a_cosignature_counts() -> None:
    """Of its instant too: any one bit changed, and key and text no longer fit."""
    cosignature = WITNESS.cosign(SOFA, 1679315147)
    key, raw = WITNESS.verifier, cosignature.raw
    assert (len(raw), raw[:8]) == (72, (1679315147).to_bytes(8, "big"))
    assert key.verifies(SOFA, raw)
    for bit in range(len(raw) * 8):
        assert not key.verifies(SOFA, (int.from_bytes(raw) ^ 1 << bit).to_bytes(72))
    for other in (raw[:-1], raw + b"\0", raw[:8], b"", raw[8:]):
        assert not key.verifies(SOFA, other)
    assert not key.verifies(SOFA.replace("sofa", "bed"), raw)
    assert not key.verifies(f"{SOFA}extension\n", raw)


def test_a_log_s_key_and_a_witness_key_are_not_taken_for_each_other() -> None:
    """The same Ed25519 key has another id for each kind, and neither signs the other's message."""
    both = SigningKey(name="both.example", seed=WITNESS.seed)
    witness = CosigningKey(name="both.example", seed=WITNESS.seed)
    assert both.verifier.public == witness.verifier.public
    assert both.verifier.key_id != witness.verifier.key_id
    assert not both.verifier.verifies(SOFA, witness.cosign(SOFA, 1).raw)
    assert not both.verifier.verifies(SOFA, witness.cosign(SOFA, 1).raw[8:])
    assert not witness.verifier.verifies(SOFA, bytes(8) + both.sign(SOFA).raw)
    assert isinstance(parse_key(both.verifier.line), VerifierKey)
    assert isinstance(parse_key(witness.verifier.line), CosignerKey)
    with pytest.raises(UsageError, match="another kind"):
        parse_verifier_key(witness.verifier.line)
    with pytest.raises(UsageError, match="another kind"):
        parse_signing_key(witness.line)
    with pytest.raises(UsageError, match="another kind"):
        parse_cosigning_key(both.line)


@given(st.binary(min_size=32, max_size=32))
def test_key_lines_of_witnesses_give_their_keys_again(seed: bytes) -> None:
    """parse ∘ line is the identity, for both halves."""
    key = CosigningKey(name="witness.example/w1", seed=seed)
    assert parse_cosigning_key(key.line) == key
    assert parse_key(key.verifier.line) == key.verifier


def test_a_witness_private_key_is_not_shown() -> None:
    """Nothing that prints a key, or refuses its line, prints its secret."""
    assert "seed" not in repr(WITNESS)
    with pytest.raises(UsageError) as raised:
        parse_cosigning_key(WITNESS.line[:-3])
    assert WITNESS.line[-20:-3] not in str(raised.value)


def test_keys_of_other_kinds_are_refused() -> None:
    """Of the kinds that the specifications know, two are used here."""
    for kind in (0, 2, 5, 6, 255):
        line = format_key_line("a", key_id_of("a", kind, bytes(32)), kind, bytes(32))
        with pytest.raises(UsageError, match=f"another kind: .* found {kind}"):
            parse_key(line)


def test_witnesses_alone_make_no_checkpoint() -> None:
    """A checkpoint that the log has not signed is not the log's, whoever cosigned it."""
    cosigned = Note(text=SOFA, signatures=(WITNESS.cosign(SOFA, 1),))
    with pytest.raises(ProofError, match="witnesses alone"):
        open_checkpoint(format_note(cosigned), [LOG.verifier, WITNESS.verifier])


def test_a_key_signs_for_its_own_log() -> None:
    """A known key under another log's origin does not pass for that log's checkpoint."""
    raw = sign_checkpoint(parse_checkpoint(SOFA.replace("sofa", "bed")), [LOG])
    with pytest.raises(ProofError) as raised:
        open_checkpoint(raw, [LOG.verifier], where="latest")
    assert str(raised.value) == (
        "latest: a checkpoint of another log: expected 'example.com/behind-the-sofa', "
        "found 'example.com/behind-the-bed'"
    )
    assert open_checkpoint(raw, [LOG.verifier], origin="example.com/behind-the-bed")
    with pytest.raises(ProofError, match="another log"):
        open_checkpoint(raw, [LOG.verifier], origin="example.com")


def test_a_bad_cosignature_of_a_known_witness_is_an_error() -> None:
    """The log's signature does not make up for it; an unknown witness is passed over."""
    raw = with_signatures(sign_checkpoint(parse_checkpoint(SOFA), [LOG]), WITNESS)
    note = parse_note(raw)
    bad = replace(note.signatures[1], raw=bytes(72))
    raw = format_note(replace(note, signatures=(note.signatures[0], bad)))
    with pytest.raises(ProofError, match=r"'witness\.example' does not fit"):
        open_checkpoint(raw, [LOG.verifier, WITNESS.verifier])
    assert open_checkpoint(raw, [LOG.verifier]).cosigned == ()


def test_a_witness_counts_once() -> None:
    """Cosigning again, or under a second name, makes no second witness: the latest word is kept."""
    alias = replace(WITNESS, name="witness.example/again")
    raw = sign_checkpoint(parse_checkpoint(SOFA), [LOG])
    for key, time_s in ((WITNESS, 5), (alias, 9), (WITNESS, 7), (WITNESS, 5)):
        raw = with_signatures(raw, key, time_s=time_s)
    (cosigned,) = open_checkpoint(raw, [LOG.verifier, WITNESS.verifier, alias.verifier]).cosigned
    assert (cosigned.key, cosigned.time_s) == (alias.verifier, 9)
    (cosigned,) = open_checkpoint(raw, [LOG.verifier, WITNESS.verifier]).cosigned
    assert (cosigned.key, cosigned.time_s) == (WITNESS.verifier, 7)


def test_what_is_no_checkpoint_is_not_cosigned() -> None:
    """A witness signs checkpoints, at instants that can be written."""
    with pytest.raises(LogFormatError):
        WITNESS.cosign("any text\n", 1)
    for time_s in (-1, 2**63):
        with pytest.raises(UsageError, match="instant"):
            WITNESS.cosign(SOFA, time_s)
    for time_s, taken in ((2**63 - 1, True), (2**63, False), (2**64 - 1, False)):
        made = ed25519.sign(WITNESS.seed, cosigned_message(SOFA, time_s))
        raw = time_s.to_bytes(8, "big") + made
        assert WITNESS.verifier.verifies(SOFA, raw) == taken


def test_a_log_may_change_its_key() -> None:
    """Signed by the old and the new key, a checkpoint verifies with either."""
    new = SigningKey(name=LOG.name, seed=bytes([9]) * 32)
    raw = sign_checkpoint(parse_checkpoint(SOFA), [LOG, new])
    assert open_checkpoint(raw, [LOG.verifier]).signed_by == (LOG.verifier,)
    assert open_checkpoint(raw, [new.verifier]).signed_by == (new.verifier,)
    both = open_checkpoint(raw, [new.verifier, LOG.verifier])
    assert both.signed_by == (LOG.verifier, new.verifier)
