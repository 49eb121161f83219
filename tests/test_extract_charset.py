"""The charset of a document: declared rightly, wrongly, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.extract import charset_parameter
from provenance.extract.charset import decode_text
from provenance.extract.labels import decode, name_of
from provenance.extract.prescan import html_charset, xml_charset

SHARED = Path(__file__).parents[2] / "shared" / "corpora" / "other"

CHINESE = "市政厅就港口大桥发表声明。大桥将于星期三关闭，检修工程预计持续六个星期。"
TRADITIONAL = "市政廳就港口大橋發表聲明。大橋將於星期三關閉，檢修工程預計持續六個星期。"
JAPANESE = "市役所は港の橋について声明を発表した。橋は水曜日から閉鎖されます。"
KOREAN = "시청은 항구 다리에 관한 성명을 발표했다. 다리는 수요일부터 닫힌다."
RUSSIAN = "Городской совет сделал заявление о портовом мосте. Мост закроют в среду."
GERMAN = "Die Brücke über die Förde schließt früh für die nötige Überprüfung ihrer Träger."
FRENCH = "Le pont du port sera fermé dès mercredi, a déclaré la mairie après l'été."


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        (CHINESE, "gb18030", "gb18030"),
        (CHINESE, "utf-8", "utf-8"),
        (TRADITIONAL, "big5", "big5"),
        (JAPANESE, "cp932", "shift_jis"),
        (JAPANESE, "euc_jp", "euc-jp"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        (KOREAN, "cp949", "euc-kr"),
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8_r", "koi8-u"),
        (GERMAN, "latin-1", "windows-1252"),
        (FRENCH, "latin-1", "windows-1252"),
        (FRENCH, "utf-8", "utf-8"),
        ("plain", "ascii", "utf-8"),
    ],
)
def test_an_undeclared_charset_is_found(text: str, codec: str, name: str) -> None:
    """A few dozen characters are enough to tell a charset by its bytes."""
    decoded = decode_text(text.encode(codec), http=None)
    assert (decoded.charset, decoded.text) == (name, text)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_comes_before_every_declaration(codec: str) -> None:
    """The mark decides, and is no part of the text."""
    mark = "" if codec == "utf-8-sig" else "\ufeff"
    raw = (mark + CHINESE).encode(codec)
    assert decode_text(raw, http="windows-1251").text == CHINESE


def test_http_comes_before_the_document() -> None:
    """Where both declare, HTTP is believed."""
    head = '<meta charset="windows-1251">'.encode("ascii")
    decoded = decode_text(head + GERMAN.encode("cp1252"), http="iso-8859-1", declared=html_charset)
    assert decoded.charset == "windows-1252"
    assert decoded.text.endswith(GERMAN)


@pytest.mark.parametrize(
    ("declared", "text", "codec", "name"),
    [
        ("iso-8859-1", FRENCH, "utf-8", "utf-8"),
        ("windows-1251", CHINESE, "utf-8", "utf-8"),
        ("utf-8", CHINESE, "gb18030", "gb18030"),
        ("utf-8", RUSSIAN, "cp1251", "windows-1251"),
        ("gb2312", RUSSIAN, "utf-8", "utf-8"),
    ],
)
def test_a_plainly_wrong_declaration_is_set_aside(
    declared: str, text: str, codec: str, name: str
) -> None:
    """Bytes that cannot be what is declared are read as what they are."""
    decoded = decode_text(text.encode(codec), http=declared)
    assert (decoded.charset, decoded.text) == (name, text)


def test_a_short_text_in_a_declared_multibyte_charset_is_believed() -> None:
    """A word of GBK that is valid UTF-8 by chance stays what it is declared to be."""
    raw = "模".encode("gbk")
    assert raw.decode("utf-8") != "模"
    assert decode_text(raw, http="gb2312").text == "模"


def test_one_broken_character_does_not_unseat_a_declaration() -> None:
    """A page with one bad byte stays in its charset, the byte shown as U+FFFD."""
    raw = CHINESE.encode("utf-8")
    decoded = decode_text(raw + b"\xff" + raw, http="utf-8")
    assert (decoded.charset, decoded.text) == ("utf-8", f"{CHINESE}\ufffd{CHINESE}")


@pytest.mark.parametrize("http", [None, "utf-8"])
def test_a_body_cut_inside_a_character_keeps_its_charset(http: str | None) -> None:
    """What arrived of a cut UTF-8 text is UTF-8."""
    decoded = decode_text(CHINESE.encode("utf-8")[:-1], http=http)
    assert (decoded.charset, decoded.text) == ("utf-8", CHINESE[:-1] + "\ufffd")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<meta charset=gb2312>", "gbk"),
        (b"<META CHARSET='Shift_JIS' />", "shift_jis"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
        (b"<!-- <meta charset=big5> --><meta charset=utf-8>", "utf-8"),
        (b"<meta charset=utf-16>", "utf-8"),
        (b'<meta name="x" content="text/html; charset=big5">', None),
        (b"<meta charset=no-such><meta charset=big5>", "big5"),
        (b'<?xml version="1.0" encoding="ISO-8859-2"?><html>', "iso-8859-2"),
        (b'<a title="<meta charset=big5>">', None),
        (b"<meta", None),
    ],
)
def test_the_declaration_in_the_document_is_found(head: bytes, name: str | None) -> None:
    """The meta element is read as the HTML Standard's prescan reads it."""
    assert html_charset(head) == name


def test_an_xml_declaration_names_the_charset() -> None:
    """XML says its charset in its first line."""
    assert xml_charset(b"<?xml version='1.0' encoding='windows-1251'?><a/>") == "windows-1251"
    assert xml_charset(b"<a encoding='windows-1251'/>") is None


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("text/html; charset=utf-8", "utf-8"),
        ('text/html;Charset="GB2312"; x=y', "GB2312"),
        ("text/html; charset=", None),
        (None, None),
    ],
)
def test_the_parameter_of_a_content_type(media_type: str | None, expected: str | None) -> None:
    """A Content-Type's charset parameter is taken out, quoted or not."""
    assert charset_parameter(media_type) == expected


@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "gbk", "latin1", "utf-16", "x"]))
def test_every_byte_string_is_some_text(raw: bytes, label: str | None) -> None:
    """Decoding never fails, and yields a text that UTF-8 can write."""
    decode_text(raw, http=label, declared=html_charset).text.encode("utf-8")


@given(st.binary(max_size=400))
def test_the_prescan_ends_on_any_bytes(head: bytes) -> None:
    """Looking for a declaration neither fails nor finds a charset the standard does not know."""
    for name in (html_charset(b"<meta " + head), xml_charset(b"<?xml " + head)):
        assert name is None or name_of(name) == name


@pytest.mark.shared
def test_recorded_pairs_decode_to_their_twin() -> None:
    """Undeclared texts in Big5, Shift_JIS, EUC-JP and ISO-2022-JP equal their UTF-8 twin."""
    folder = SHARED / "encoding" / "text-pairs"
    if not folder.is_dir():
        pytest.skip("the shared corpora are not beside the checkout")
    for path in sorted(folder.glob("*.txt")):
        twin = (
            path.name.split("-")[0] if path.name.startswith("rash") else "sunzi-bingfa-traditional"
        )
        expected = (folder / f"{twin}-utf-8.txt").read_text("utf-8")
        assert decode_text(path.read_bytes(), http=None).text == expected, path.name


@pytest.mark.shared
def test_recorded_vectors_decode_by_their_label() -> None:
    """Labels and bytes that another implementation tests give the same text here."""
    path = SHARED / "encoding" / "decode-vectors.json"
    if not path.is_file():
        pytest.skip("the shared corpora are not beside the checkout")
    seen = 0
    for vector in json.loads(path.read_text("utf-8"))["vectors"]:
        name = name_of(vector["label"])
        if name is not None:
            seen += 1
            assert decode(bytes.fromhex(vector["encoded_hex"]), name) == vector["utf8"], vector
    assert seen > 10


@pytest.mark.shared
def test_html5lib_charset_declarations() -> None:
    """The prescan agrees with the html5lib tests wherever the declaration is within its reach."""
    path = SHARED / "html5lib-tests" / "encoding" / "tests2.dat"
    if not path.is_file():
        pytest.skip("the shared corpora are not beside the checkout")
    cases = [case.split(b"\n#encoding\n") for case in path.read_bytes().split(b"#data\n")[1:]]
    assert len(cases) > 10
    for source, label in cases:
        expected = name_of(label.strip().decode("ascii"))
        # What the tests leave to the locale is windows-1252; the prescan then finds nothing.
        assert (html_charset(source[:1024]) or "windows-1252") == expected, source
