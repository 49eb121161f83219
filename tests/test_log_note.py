"""Signed notes and key lines, against the published examples, and against every change to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provenance.errors import LogFormatError, ProofError, UsageError
from provenance.log.note import (
    Note,
    Signature,
    SigningKey,
    VerifierKey,
    format_key_line,
    format_note,
    key_id_of,
    parse_note,
    parse_signing_key,
    parse_verifier_key,
    sign_note,
    verify_note,
)

EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
"""The example of C2SP signed-note, Verifier keys."""

PETER_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER = (
    f"{PETER_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
"""The example of golang.org/x/mod/sumdb/note, with its published key pair."""

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493

KEY = SigningKey(name="log.example/one", seed=bytes(32))
OTHER = SigningKey(name="log.example/two", seed=bytes([1]) * 32)
NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="+"),
    min_size=1,
    max_size=20,
)
TEXTS = st.text(
    st.one_of(st.characters(min_codepoint=32, exclude_categories=["Cs"]), st.just("\n")),
    max_size=60,
).map(lambda text: text + "\n")
SEEDS = st.binary(min_size=32, max_size=32)


def test_the_example_of_the_specification() -> None:
    """Its key verifies its note, and both are written back byte for byte."""
    key = parse_verifier_key(EXAMPLE_KEY)
    note = parse_note(EXAMPLE)
    assert note.text == "This is an example message.\n"
    (verified,) = verify_note(note, [key])
    assert (verified.key, verified.signature) == (key, note.signatures[0])
    assert (key.line, format_note(note)) == (EXAMPLE_KEY, EXAMPLE)
    assert key.key_id.hex() == "530d903a"


def test_the_example_of_the_go_implementation() -> None:
    """Its signer key makes its note, byte for byte; its verifier key verifies it."""
    signing = parse_signing_key(PETER_PRIVATE)
    assert format_note(sign_note(PETER_TEXT, [signing])) == PETER
    assert signing.verifier.line == PETER_PUBLIC
    assert signing.line == PETER_PRIVATE
    assert verify_note(parse_note(PETER), [parse_verifier_key(PETER_PUBLIC)])


@given(TEXTS, st.lists(st.tuples(NAMES, SEEDS), min_size=1, max_size=3, unique_by=lambda x: x[0]))
def test_what_is_signed_verifies(text: str, keys: list[tuple[str, bytes]]) -> None:
    """Any text, any names: written, read back the same, and verified by each key."""
    signing = [SigningKey(name=name, seed=seed) for name, seed in keys]
    note = sign_note(text, signing)
    raw = format_note(note)
    assert parse_note(raw) == note
    verified = verify_note(parse_note(raw), [each.verifier for each in signing])
    assert [each.key for each in verified] == [each.verifier for each in signing]
    assert all(verify_note(note, [each.verifier]) for each in signing)


def test_any_bit_of_a_note_counts() -> None:
    """Text, name, key id, signature, dash, spaces and newlines: any one bit changed is refused."""
    key = parse_verifier_key(EXAMPLE_KEY)
    for bit in range(len(EXAMPLE) * 8):
        altered = (int.from_bytes(EXAMPLE, "big") ^ 1 << bit).to_bytes(len(EXAMPLE), "big")
        with pytest.raises((LogFormatError, ProofError)):
            verify_note(parse_note(altered), [key])


@given(st.integers(0, len(EXAMPLE)), st.binary(max_size=3), st.integers(0, 3))
def test_no_byte_can_be_added_or_dropped(at: int, added: bytes, dropped: int) -> None:
    """A note cut or added to anywhere is refused."""
    altered = EXAMPLE[:at] + added + EXAMPLE[at + dropped :]
    assume(altered != EXAMPLE)
    with pytest.raises((LogFormatError, ProofError)):
        verify_note(parse_note(altered), [parse_verifier_key(EXAMPLE_KEY)])


@given(TEXTS, st.lists(st.builds(Signature, name=NAMES, key_id=st.binary(min_size=4, max_size=4),
                                 raw=st.binary(min_size=1, max_size=80)),
                       min_size=1, max_size=4))  # fmt: skip
def test_reading_gives_what_was_written(text: str, signatures: list[Signature]) -> None:
    """parse ∘ format is the identity, whoever signed."""
    note = Note(text=text, signatures=tuple(signatures))
    assert parse_note(format_note(note)) == note


@given(st.binary(max_size=200))
def test_what_is_read_is_written_back(raw: bytes) -> None:
    """Whatever is taken for a note is written back byte for byte, and else is refused."""
    for each in (raw, b"a\n\n" + raw, b"a\n\n\xe2\x80\x94 " + raw + b"\n"):
        try:
            note = parse_note(each)
        except LogFormatError:
            continue
        assert format_note(note) == each


def test_signatures_by_unknown_keys_are_passed_over() -> None:
    """Also where they share a name or an id, but not both, with a known key."""
    text = "text\n"
    known = KEY.sign(text)
    rubbish = Signature(name="stranger.example", key_id=b"abcd", raw=b"x")
    same_name = replace(rubbish, name=KEY.name)
    same_id = replace(rubbish, key_id=known.key_id)
    note = Note(text=text, signatures=(rubbish, same_name, known, same_id))
    (verified,) = verify_note(note, [OTHER.verifier, KEY.verifier])
    assert verified.signature == known
    with pytest.raises(ProofError, match="not signed by a known key"):
        verify_note(replace(note, signatures=(rubbish, same_name, same_id)), [KEY.verifier])
    with pytest.raises(ProofError, match="not signed by a known key"):
        verify_note(note, [])


def test_a_bad_signature_of_a_known_key_is_an_error() -> None:
    """Even beside a good one, and even by a key that signed well too."""
    text = "text\n"
    good, bad = KEY.sign(text), OTHER.sign("other text\n")
    note = Note(text=text, signatures=(good, bad))
    assert verify_note(note, [KEY.verifier])
    with pytest.raises(ProofError, match=r"'log\.example/two' does not fit the text"):
        verify_note(note, [KEY.verifier, OTHER.verifier])
    twice = Note(text=text, signatures=(good, replace(good, raw=good.raw[:-1] + b"\0")))
    with pytest.raises(ProofError, match="does not fit"):
        verify_note(twice, [KEY.verifier])


def test_a_signature_has_one_form() -> None:
    """S + L, for which the equation of Ed25519 holds as well, is refused (RFC 8032 §5.1.7)."""
    good = KEY.sign("text\n")
    other = int.from_bytes(good.raw[32:], "little") + GROUP_ORDER
    malleable = good.raw[:32] + other.to_bytes(32, "little")
    note = Note(text="text\n", signatures=(replace(good, raw=malleable),))
    with pytest.raises(ProofError, match="does not fit"):
        verify_note(note, [KEY.verifier])


def test_two_keys_that_cannot_be_told_apart_are_refused() -> None:
    """The same key twice is one key; another with its name and id would be ambiguous."""

    class Double:
        name, key_id = KEY.name, KEY.verifier.key_id

        def verifies(self, text: str, raw: bytes) -> bool:
            return True

    note = sign_note("text\n", [KEY])
    assert len(verify_note(note, [KEY.verifier, KEY.verifier])) == 1
    with pytest.raises(UsageError, match="this name and id"):
        verify_note(note, [KEY.verifier, Double()])


LINE = "— a.example AAAAAAA=\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n" + LINE,
        "\n" + LINE,
        "text\n\n" + LINE + "\n",
        "text\n\n" + LINE.rstrip("\n"),
        "text\n\n" + LINE + "more\n",
        "text\n\n-- a.example AAAAAAA=\n",
        "text\n\n- a.example AAAAAAA=\n",
        "text\n\n\N{EN DASH} a.example AAAAAAA=\n",
        "text\n\n—a.example AAAAAAA=\n",
        "text\n\n—  a.example AAAAAAA=\n",
        "text\n\n— a.example  AAAAAAA=\n",
        "text\n\n— a.example AAAAAAA= \n",
        "text\n\n— AAAAAAA=\n",
        "text\n\n—  AAAAAAA=\n",
        "text\n\n— a+b AAAAAAA=\n",
        "text\n\n— a\N{NO-BREAK SPACE}b AAAAAAA=\n",
        "text\n\n— a\N{LINE SEPARATOR}b AAAAAAA=\n",
        "text\n\n— a.example AAAAAAA\n",  # no padding
        "text\n\n— a.example AAAAAAB=\n",  # bits that no byte takes up
        "text\n\n— a.example AAAAAA==\n",  # a key id and no signature
        "text\n\n— a.example AAAA\n",
        "text\n\n— a.example \n",
        "text\n\n— a.example AAA_AAA=\n",
        "text\n\n— a.example AAA AAA=\n",
        "text\r\n\r\n" + LINE,
        "text\0\n\n" + LINE,
        "te\txt\n\n" + LINE,
        "te\x1bxt\n\n" + LINE,
    ],
)
def test_malformed_notes_are_refused(text: str) -> None:
    """What is not of the form is refused before any signature is looked at."""
    with pytest.raises(LogFormatError, match="not a signed note"):
        parse_note(text.encode(), where="a.note")


def test_the_text_ends_at_the_last_empty_line() -> None:
    """Empty lines, and lines like signatures, may stand in the text."""
    text = f"one\n\n{LINE}\n\ntwo\N{LINE SEPARATOR}\x7f\n"
    note = parse_note(f"{text}\n{LINE}".encode())
    assert (note.text, len(note.signatures)) == (text, 1)


def test_what_is_not_utf_8_is_refused() -> None:
    """Also the surrogates that some encoders write."""
    for raw in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80"):
        with pytest.raises(LogFormatError, match="expected UTF-8"):
            parse_note(b"text" + raw + b"\n\n" + LINE.encode())


def test_a_fault_names_its_line() -> None:
    """A message says where, what was expected, and what was found, safe to print."""
    with pytest.raises(LogFormatError) as raised:
        parse_note(f"one\ntwo\n\n{LINE}— b \N{RIGHT-TO-LEFT OVERRIDE}\n".encode(), where="x.note")
    assert str(raised.value) == (
        "x.note, line 5: not a signed note: expected a signature line: — <name> <base64>, "
        "found '\\u2014 b \\u202e'"
    )


def test_limits() -> None:
    """16 signatures must be taken; above a hundred, and above a megabyte, nothing is."""
    assert len(parse_note(f"text\n\n{LINE * 100}".encode()).signatures) == 100
    with pytest.raises(LogFormatError, match="too many signatures"):
        parse_note(f"text\n\n{LINE * 101}".encode())
    rest = f"\n\n{LINE}"
    most = "x" * (1_000_000 - len(rest.encode())) + rest
    assert parse_note(most.encode())
    with pytest.raises(LogFormatError, match="too large"):
        parse_note(f"x{most}".encode())


@pytest.mark.parametrize("text", ["", "no end", "control\x01\n", "carriage\r\n", "\ud800\n"])
def test_what_cannot_be_read_cannot_be_signed(text: str) -> None:
    """A text that no note can hold is refused when it is written."""
    signature = Signature(name="a", key_id=b"abcd", raw=b"x")
    with pytest.raises(LogFormatError):
        format_note(Note(text=text, signatures=(signature,)))


@pytest.mark.parametrize(
    "signature",
    [
        Signature(name="", key_id=b"abcd", raw=b"x"),
        Signature(name="a b", key_id=b"abcd", raw=b"x"),
        Signature(name="a\nb", key_id=b"abcd", raw=b"x"),
        Signature(name="a", key_id=b"abc", raw=b"x"),
        Signature(name="a", key_id=b"abcd", raw=b""),
    ],
)
def test_a_signature_that_cannot_be_read_cannot_be_written(signature: Signature) -> None:
    """Names, ids and signatures of another form are refused when they are written."""
    with pytest.raises(LogFormatError):
        format_note(Note(text="text\n", signatures=(signature,)))
    with pytest.raises(LogFormatError):
        sign_note("text\n", [])


@given(NAMES, SEEDS)
def test_key_lines_give_their_keys_again(name: str, seed: bytes) -> None:
    """parse ∘ line is the identity, for both halves of a key."""
    signing = SigningKey(name=name, seed=seed)
    assert parse_signing_key(signing.line) == signing
    assert parse_verifier_key(signing.verifier.line) == signing.verifier


def test_any_bit_of_a_verifier_key_counts() -> None:
    """The key id covers name, kind and key; any one bit changed is refused."""
    for bit in range(len(EXAMPLE_KEY) * 7):
        place, which = divmod(bit, 7)
        altered = chr(ord(EXAMPLE_KEY[place]) ^ 1 << which)
        with pytest.raises(UsageError):
            parse_verifier_key(EXAMPLE_KEY[:place] + altered + EXAMPLE_KEY[place + 1 :])


NAME, KEY_ID, BASE64 = EXAMPLE_KEY.split("+", 2)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "+",
        "++",
        NAME,
        f"{NAME}+{KEY_ID}",
        f"{NAME}+{KEY_ID}+",
        f"+{KEY_ID}+{BASE64}",
        f"{NAME}+{KEY_ID.upper()}+{BASE64}",
        f"{NAME}+0{KEY_ID}+{BASE64}",
        f"{NAME}+{KEY_ID}+{BASE64}=",
        f"{NAME}+{KEY_ID}+{BASE64}\n",
        f" {EXAMPLE_KEY}",
        f"a b+{KEY_ID}+{BASE64}",
        f"a\nb+{KEY_ID}+{BASE64}",
        f"{NAME}+{KEY_ID}+{BASE64}+",
        PETER_PRIVATE,
    ],
)
def test_malformed_verifier_keys_are_refused(line: str) -> None:
    """What is not of the form is no key."""
    with pytest.raises(UsageError, match="verifier key"):
        parse_verifier_key(line)


def test_a_verifier_key_of_another_kind_is_refused() -> None:
    """A key is for one kind of signature; its kind is told."""
    public = KEY.verifier.public
    line = format_key_line("a", key_id_of("a", 4, public), 4, public)
    with pytest.raises(UsageError, match=r"expected signature type 1 \(Ed25519\), found 4"):
        parse_verifier_key(line)
    short = format_key_line("a", key_id_of("a", 1, public[1:]), 1, public[1:])
    with pytest.raises(UsageError, match="expected 32 bytes, found 31 bytes"):
        parse_verifier_key(short)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "PRIVATE+KEY+",
        PETER_PRIVATE.removeprefix("PRIVATE+KEY+"),
        PETER_PRIVATE.lower(),
        PETER_PRIVATE + "\n",
        PETER_PRIVATE[:-1],
        PETER_PRIVATE.replace("c74f20a3", "c74f20a4"),
        PETER_PRIVATE.replace("AYEK", "AYEL"),
        PETER_PRIVATE.replace("PeterNeumann", "Peter Neumann"),
        "PRIVATE+KEY+a+00000000+AQ==",
        "PRIVATE+KEY+a+00000000+BIEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
    ],
)
def test_malformed_signer_keys_are_refused_and_not_shown(line: str) -> None:
    """A private key that cannot be read does not end up in a message."""
    with pytest.raises(UsageError) as raised:
        parse_signing_key(line)
    assert "EKFALVFGyNhPJEMzD1QIDr" not in f"{raised.value} {raised.value.found}"


def test_a_private_key_is_not_shown() -> None:
    """Nothing that prints a key prints its secret."""
    key = SigningKey(name="a", seed=b"secret seed of thirty-two bytes.")
    assert "secret" not in repr(key)
    assert "thirty" not in str(key)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "a\x00", "a\N{EM SPACE}", "\ud800"])
def test_names_that_notes_cannot_hold(name: str) -> None:
    """A key is not made with a name that would break its lines."""
    with pytest.raises(UsageError, match="not the name of a key"):
        SigningKey(name=name, seed=bytes(32))
    with pytest.raises(UsageError, match="not the name of a key"):
        VerifierKey(name=name, public=bytes(32))
    with pytest.raises(UsageError, match="32 bytes"):
        SigningKey(name="a", seed=bytes(31))
