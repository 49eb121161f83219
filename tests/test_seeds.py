"""Seeds files are read whole: a collection, or every fault with its place."""

from __future__ import annotations

import hashlib
import os
import re
import string
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import SeedsError, UsageError
from provenance.model import (
    AddressStatus,
    Alternate,
    AlternateRole,
    Collection,
    CollectionId,
    Document,
    DocumentId,
    PublisherKind,
    Relation,
    RelationKind,
    Role,
    TitleStatus,
)
from provenance.seeds import (
    DOCUMENT_KEYS,
    EXAMPLE_COLLECTION,
    parse_address,
    parse_collection,
    parse_id,
    read_collections,
    to_toml,
)

HEAD = '[collection]\nid = "laws"\ntitle = "Laws"\nabout = "Some laws."\n'
ENTRY = """
[[document]]
id = "river-act"
title = "River Act"
role = "official"
publisher = "Parliament"
publisher_kind = "government"
"""


def faults_of(text: str | bytes) -> tuple[str, ...]:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises(SeedsError) as caught:
        parse_collection(raw, name="seeds/laws.toml")
    return caught.value.faults


def only_fault(text: str | bytes) -> str:
    faults = faults_of(text)
    assert len(faults) == 1, faults
    return faults[0]


def entry_fault(lines: str) -> str:
    return only_fault(HEAD + ENTRY + lines)


def entry_named(identifier: str, lines: str = "") -> str:
    return ENTRY.replace("river-act", identifier) + lines


def head_named(identifier: str) -> str:
    return HEAD.replace('"laws"', f'"{identifier}"')


def test_every_key_reaches_the_model() -> None:
    """A file that uses every key gives a collection that holds every value."""
    text = (
        HEAD
        + 'allow_networks = ["10.1.0.0/16", "FD00::/8"]\n'
        + ENTRY
        + """
title_original = "Закон о реке"
title_status = "confirmed"
author = "A. Clerk"
published = 2021-02-22
language = "en"
url = "https://example.org/act?a=1"
url_status = "recalled"
media_type = "text/*"
note = "Two\\nlines."
[[document.alternate]]
url = "https://example.com/act"
role = "republication"
status = "confirmed"
note = "A reprint."
[[document.relation]]
kind = "responds-to"
document = "elsewhere"
note = "In another file."
"""
    )
    assert parse_collection(text.encode(), name="seeds/laws.toml") == Collection(
        id=CollectionId("laws"),
        title="Laws",
        about="Some laws.",
        seeds_file="seeds/laws.toml",
        seeds_digest=f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",  # type: ignore[arg-type]
        allow_networks=("10.1.0.0/16", "fd00::/8"),
        documents=(
            Document(
                id=DocumentId("river-act"),
                collection=CollectionId("laws"),
                title="River Act",
                title_original="Закон о реке",
                title_status=TitleStatus.CONFIRMED,
                role=Role.OFFICIAL,
                publisher="Parliament",
                publisher_kind=PublisherKind.GOVERNMENT,
                author="A. Clerk",
                published="2021-02-22",
                language="en",
                url="https://example.org/act?a=1",
                url_status=AddressStatus.RECALLED,
                media_type="text/*",
                note="Two\nlines.",
                alternates=(
                    Alternate(
                        url="https://example.com/act",
                        role=AlternateRole.REPUBLICATION,
                        status=AddressStatus.CONFIRMED,
                        note="A reprint.",
                    ),
                ),
                relations=(
                    Relation(
                        kind=RelationKind.RESPONDS_TO,
                        document=DocumentId("elsewhere"),
                        note="In another file.",
                    ),
                ),
            ),
        ),
    )


def test_a_file_of_many_faults_tells_all_of_them_in_one_error() -> None:
    """Nothing hides a later fault: each has its own line, with file, path and document."""
    faults = faults_of(
        """
[collection]
id = "adhoc"
tittle = "x"
about = 3
allow_networks = ["10.1.2.3/16"]
[[document]]
id = "river-act"
title = "t\\u001b"
role = "offical"
publisher = " "
publisher_kind = "government"
published = 2024
[[document.alternate]]
url = "ftp://example.org/"
role = "record"
[[document.relation]]
kind = "cites"
document = "river-act"
[[document]]
id = "river-act"
title = "Again"
role = "source"
publisher = "p"
"""
    )
    places = [line.split(": ")[1] for line in faults]
    assert places == [
        "collection.tittle",
        "collection.id",
        "collection.title",
        "collection.about",
        "collection.allow_networks[1]",
        "document[1].title",
        "document[1].role",
        "document[1].publisher",
        "document[1].published",
        "document[1].alternate[1].url",
        "document[1].relation[1].document",
        "document[2].publisher_kind",
        "document[2].id",
    ]
    assert all(line.startswith("seeds/laws.toml: ") for line in faults)
    assert all(line.endswith('(document "river-act")') for line in faults[5:12])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "seeds/laws.toml: is empty"),
        (b"  \n# only a comment\n", "seeds/laws.toml: is empty"),
        (b"\xef\xbb\xbf[collection]", "byte order mark"),
        (b"\xff\xfe[\0", "UTF-16"),
        (b"# a\nid = '\xe9'", "line 2: expected UTF-8, found byte 0xe9 at offset 10"),
        (b"\n[collection\n", "line 2, column 12: not TOML"),
        (b"\na = '''x\ny", "line 3, column 2: not TOML"),
        (b"a = 'x\x00'", "line 1, column 7: not TOML"),
        (b"a = 1\na = 2", "line 2, column 6: not TOML"),
        (b"a = 2021-02-30", "line 1, column 5: not TOML"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"9" * 5_000, "too many digits"),
        (b"# begun\n" + b"a." * 100_000 + b"a = 1", "line 2: not TOML that can be read: a key of"),
        (b"x = {y = 1, " + b'"a" . ' * 100_000 + b"a = 1}", "line 1: not TOML that can be read"),
        (b"[[" + b"'a'." * 100_000 + b"a]]", "line 1: not TOML that can be read"),
    ],
)
def test_bytes_that_are_no_toml_are_told_with_their_place(raw: bytes, said: str) -> None:
    """A broken file gives one fault that says where it breaks."""
    assert said in only_fault(raw)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("document = 3", "collection: missing"),
        ("[[collection]]\nid = 'x'", "collection: expected a table [collection], found an array"),
        (HEAD + "[document]\n", "document: expected tables under the heading [[document]]"),
        (HEAD + "[[documents]]\n", 'documents: unknown key; did you mean "document"?'),
        ("document = [3]\n" + HEAD, "document[1]: expected a table under the heading [[document]]"),
        (HEAD + '"a\\u001b" = 1\n', "collection.'a\\x1b': unknown key; known are"),
        (HEAD + "allow_networks = 3\n", "expected an array in square brackets, found 3"),
        (HEAD + 'allow_networks = ["10.0.0.1"]', 'did you mean "10.0.0.1/32"?'),
        (HEAD + 'allow_networks = ["0.0.0.0/1"]', "expected a network of /8 or narrower"),
        (HEAD + 'allow_networks = ["::/0"]', "expected a network of /7 or narrower"),
        (HEAD + "allow_networks = [3]", "allow_networks[1]: expected text in quotes, found 3"),
    ],
)
def test_a_wrong_shape_is_told_with_the_shape_expected(text: str, said: str) -> None:
    """A table, array or network of the wrong form is named by its path."""
    assert any(said in line for line in faults_of(text)), faults_of(text)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('languge = "en"', 'document[1].languge: unknown key; did you mean "language"?'),
        ("alternates = []", 'unknown key; did you mean "alternate"?'),
        ("author = 3", "document[1].author: expected text in quotes, found 3"),
        ('author = ""', "expected some text, found ''"),
        ('author = "a\\nb"', "U+000A is character 2"),
        ('author = "a\\u0085"', "U+0085 is character 2"),
        ('author = "a\\u2028"', "U+2028 is character 2"),
        ('note = "a\\u0000"', "U+0000 is character 2"),
        (f'author = "{"x" * 2001}"', "at most 2000 characters"),
        ("published = 2024", 'found 2024; write the year in quotes: "2024"'),
        ("published = true", "expected a date"),
        ("published = 2024-01-01T10:00:00Z", "leave out the time of day"),
        ("published = 10:00:00", "leave out the time of day"),
        ('published = "2024-02-30"', "expected a date"),
        ('published = "spring 2024"', "expected a date"),
        ('published = "٢٠٢٤"', "expected a date"),
        ('language = "English"', 'a language tag such as "en"'),
        ('language = "x"', 'a language tag such as "en"'),
        ('media_type = "html"', 'did you mean "text/html"?'),
        ('media_type = "text/html; charset=utf-8"', "a media type such as"),
        ('media_type = "*/*"', "a media type such as"),
        ('title_status = "not recovered"', 'did you mean "not-recovered"?'),
        ("title_status = 1", "expected one of confirmed, recalled"),
        ('url_status = "confirmed"', "document[1].url_status: stands without url"),
        ("alternate = 3", "expected tables under the heading [[document.alternate]], found 3"),
        (
            "[[document.alternate]]\nurl = 'https://x.org/'",
            "document[1].alternate[1].role: missing",
        ),
        (
            "[[document.alternate]]\nurl='https://x.org/'\nrole='record'\nconfidence='confirmed'",
            "document[1].alternate[1].confidence: unknown key",
        ),
        (
            "url = 'https://x.org/'\n[[document.alternate]]\nurl='https://x.org/'\nrole='record'",
            "document[1].alternate[1].url: the document has https://x.org/ already",
        ),
        (
            "[[document.relation]]\nkind='cite'\ndocument='a'",
            "document[1].relation[1].kind: expected one of cites,",
        ),
        (
            "[[document.relation]]\nkind='cites'\ndocument='river-act'",
            "document[1].relation[1].document: the document points at itself",
        ),
        (
            "[[document.relation]]\nkind='cites'\ndocument='a'\n" * 2,
            'document[1].relation[2]: says cites "a" a second time',
        ),
    ],
)
def test_a_fault_of_one_field_is_told_with_path_and_document(lines: str, said: str) -> None:
    """One wrong field gives one line: its path, what was expected, and whose entry it is."""
    fault = entry_fault(lines)
    assert said in fault
    assert fault.endswith('(document "river-act")')


@pytest.mark.parametrize("key", ["id", "title", "role", "publisher", "publisher_kind"])
def test_what_every_document_needs_is_missed(key: str) -> None:
    """Five keys make a document; each is asked for by name."""
    kept = "\n".join(line for line in ENTRY.splitlines() if not line.startswith(f"{key} "))
    assert f"document[1].{key}: missing" in only_fault(HEAD + kept)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "http://example.org:8080/a/b?c=d&e[]=f",
        "HTTPS://EXAMPLE.org./",
        "http://[2001:db8::1]:80/",
        "http://localhost/",
        "https://example.org/?mail=a@b",
        "https://example.org/%E5%8C%97",
    ],
)
def test_an_address_is_kept_as_it_is_written(url: str) -> None:
    """A URL that can be fetched is not rewritten."""
    assert parse_address(url) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "1 to 8000 characters"),
        ("https://example.org/" + "a" * 8_000, "1 to 8000 characters"),
        ("example.org/a", "absolute http or https"),
        ("//example.org/a", "absolute http or https"),
        ("ftp://example.org/", "absolute http or https"),
        ("file:///etc/passwd", "absolute http or https"),
        ("javascript:alert(1)", "absolute http or https"),
        ("http:///a", "absolute http or https"),
        ("https://example.org/#top", "leave it out"),
        ("https://example.org/a b", 'percent-encoded it is "https://example.org/a%20b"'),
        ("https://example.org/北", 'percent-encoded it is "https://example.org/%E5%8C%97"'),
        ("https://example.org/\u202egpj", "found 'https://example.org/\\u202egpj'"),
        ("https://example.org/\x1b[2J", "take out the control characters"),
        ("https://example.org/\n", "take out the control characters"),
        ("https://exämple.org/", "xn--"),
        ("https://example.org:0/", "a host of"),
        ("https://example.org:99999/", "Port out of range"),
        ("https://a..b/", "a host of"),
        (f"https://{'a' * 64}.org/", "a host of"),
        (f"https://{'a' * 240}!/", "a host of"),
        ("http://[::1]a/", "found 'http://[::1]a/'"),
        ("http://[::1/", "found 'http://[::1/'"),
        ("http://exa%6Dple.org/", "a host of"),
    ],
)
def test_an_address_that_cannot_be_asked_for_is_refused(url: str, said: str) -> None:
    """Only absolute http and https URLs of URI characters pass."""
    with pytest.raises(UsageError) as caught:
        parse_address(url)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "url",
    ["https://me:s3cret@example.org/", "https://s3cret@example.org/北", "https://s3cret\\@x.org/"],
)
def test_credentials_are_refused_and_not_repeated(url: str) -> None:
    """The message on a user name or password does not print it."""
    with pytest.raises(UsageError) as caught:
        parse_address(url)
    assert "without a user name or password" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("identifier", ["a", "0", "river-act", "deadbee", "20210222-x", "g" * 80])
def test_an_id_is_short_plain_and_no_digest(identifier: str) -> None:
    """Lower-case letters, digits and hyphens make an id."""
    assert parse_id(identifier) == identifier


@pytest.mark.parametrize(
    "identifier",
    ["-a", "A", "a_b", "a/b", "..", "a b", "é", "a\n", "", "x" * 81, "deadbeef", "20210222", 3],
)
def test_an_id_that_could_mean_something_else_is_refused(identifier: object) -> None:
    """What looks like a path, an option or a digest's beginning is no id."""
    with pytest.raises(UsageError):
        parse_id(identifier)


def write_seeds(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def root_faults(folder: Path) -> tuple[str, ...]:
    with pytest.raises(SeedsError) as caught:
        read_collections(folder)
    return caught.value.faults


def test_collections_come_in_the_order_of_their_file_names(tmp_path: Path) -> None:
    """Only `*.toml` files count, hidden ones do not, and names sort by code point."""
    write_seeds(tmp_path, b=head_named("first"), B=head_named("second"), a=head_named("third"))
    (tmp_path / "notes.txt").write_text("no seeds")
    (tmp_path / ".#a.toml").write_text("an editor's lock")
    found = read_collections(tmp_path)
    assert [(one.seeds_file, one.id) for one in found] == [
        ("seeds/B.toml", "second"),
        ("seeds/a.toml", "third"),
        ("seeds/b.toml", "first"),
    ]


def test_an_empty_folder_holds_no_collections(tmp_path: Path) -> None:
    """No file is no fault."""
    assert read_collections(tmp_path) == ()


def test_the_faults_of_all_files_come_together(tmp_path: Path) -> None:
    """A fault in one file hides none in another, nor between them."""
    write_seeds(
        tmp_path,
        a=HEAD + ENTRY + "published = 2024\n",
        b=HEAD + ENTRY,
        c=head_named("third") + entry_named("laws") + entry_named("adhoc"),
    )
    faults = root_faults(tmp_path)
    assert faults[0].startswith("seeds/a.toml: document[1].published: ")
    assert faults[1:] == (
        'seeds/b.toml: collection.id: "laws" is the id of the collection in seeds/a.toml',
        'seeds/b.toml: document[1].id: "river-act" is the id of a document in seeds/a.toml already',
        'seeds/c.toml: document[1].id: "laws" is also the collection in seeds/a.toml',
        'seeds/c.toml: document[2].id: "adhoc" is also the collection of addresses in '
        "no seeds file",
    )


def test_a_relation_may_point_into_another_file(tmp_path: Path) -> None:
    """Targets are looked up in the whole root."""
    tie = "[[document.relation]]\nkind = 'cites'\ndocument = 'bridge-act'\n"
    write_seeds(tmp_path, a=HEAD + ENTRY + tie, b=head_named("b") + entry_named("bridge-act"))
    assert [one.id for one in read_collections(tmp_path)] == ["laws", "b"]


def test_a_relation_to_nothing_is_a_fault(tmp_path: Path) -> None:
    """A target that no file has is told, with the nearest id."""
    tie = "[[document.relation]]\nkind = 'cites'\ndocument = 'brigde-act'\n"
    write_seeds(tmp_path, a=HEAD + ENTRY + tie, b=head_named("b") + entry_named("bridge-act"))
    assert root_faults(tmp_path) == (
        'seeds/a.toml: document[1].relation[1].document: no document "brigde-act"; '
        'did you mean "bridge-act"? (document "river-act")',
    )


def test_relations_wait_for_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A target may be in the broken file, so its absence is not claimed."""
    tie = "[[document.relation]]\nkind = 'cites'\ndocument = 'bridge-act'\n"
    write_seeds(tmp_path, a=HEAD + ENTRY + tie, b="[collection")
    assert [line.split(":")[0] for line in root_faults(tmp_path)] == ["seeds/b.toml"]


def test_only_regular_files_of_bounded_size_are_read(tmp_path: Path) -> None:
    """Links, folders, pipes, giants and unprintable names are faults, and none is opened."""
    (tmp_path / "a.toml").symlink_to("/dev/zero")
    (tmp_path / "b.toml").mkdir()
    os.mkfifo(tmp_path / "c.toml")
    with (tmp_path / "d.toml").open("wb") as stream:
        stream.truncate(16 * 1024 * 1024 + 1)
    (tmp_path / "e\x1b.toml").write_text(HEAD)
    faults = root_faults(tmp_path)
    assert [line.split(": ")[0] for line in faults] == [
        "seeds/a.toml",
        "seeds/b.toml",
        "seeds/c.toml",
        "seeds/d.toml",
        "'seeds/e\\x1b.toml'",
    ]
    assert all(line.isprintable() for line in faults)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A missing seeds folder is a fault of the seeds, not a traceback."""
    assert root_faults(tmp_path / "none") == ("seeds: cannot be listed: No such file or directory",)


def test_the_example_collection_is_clean_and_asks_for_nothing(tmp_path: Path) -> None:
    """What a new root begins with is read without fault and fetches no address."""
    write_seeds(tmp_path, example=EXAMPLE_COLLECTION)
    (example,) = read_collections(tmp_path)
    assert len(example.documents) == 3
    assert all(doc.url is None and not doc.alternates for doc in example.documents)
    uncommented = "\n".join(
        line.removeprefix("# ")
        if line.startswith(("# url", "# role", "# status", "# [["))
        else line
        for line in EXAMPLE_COLLECTION.splitlines()
    )
    (tmp_path / "example.toml").write_text(uncommented)
    (example,) = read_collections(tmp_path)
    assert [doc.url is not None for doc in example.documents] == [True] * 3
    assert example.documents[0].alternates[0].role == AlternateRole.REPUBLICATION


Address = Mapping[str, st.SearchStrategy[object]]

MANUAL = Path(__file__).parents[1] / "docs" / "seeds.md"


def test_the_manual_shows_a_file_that_is_read() -> None:
    """The example in the manual has no fault, and uses every key there is."""
    (example,) = re.findall(r"```toml\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    assert len(parse_collection(example.encode(), name="seeds/manual.toml").documents) == 2
    used = set(re.findall(r"^(\w+) =", example, re.MULTILINE))
    assert used >= set(DOCUMENT_KEYS) - {"alternate", "relation"}


def test_the_manual_names_every_key_and_word() -> None:
    """No key and no enum word is left out of the manual."""
    manual = MANUAL.read_text(encoding="utf-8")
    lists = (Role, PublisherKind, TitleStatus, AddressStatus, AlternateRole, RelationKind)
    words = [*DOCUMENT_KEYS, *(word.value for words in lists for word in words)]
    assert [
        word for word in words if f"`{word}`" not in manual and f".{word}]]`" not in manual
    ] == []


_LINE_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=40
).filter(str.strip)
_PROSE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n\t"),
    min_size=1,
    max_size=60,
).filter(str.strip)
_IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}[g-z]", fullmatch=True)
_PATHS = st.text(string.ascii_letters + string.digits + "/?&=%-._~:@!$'()*+,;[]", max_size=30)
_URLS = st.builds("https://{}.example.org/{}".format, st.sampled_from(["a", "b"]), _PATHS)
_DATES = st.one_of(
    st.dates().map(lambda day: day.isoformat()),
    st.dates().map(lambda day: day.isoformat()[:7]),
    st.dates().map(lambda day: day.isoformat()[:4]),
)
_ALTERNATES = st.builds(
    Alternate,
    url=_URLS,
    role=st.sampled_from(AlternateRole),
    status=st.none() | st.sampled_from(AddressStatus),
    note=st.none() | _PROSE,
)
_RELATIONS = st.builds(
    Relation,
    kind=st.sampled_from(RelationKind),
    document=_IDS.map(lambda text: DocumentId(f"to-{text}")),
    note=st.none() | _PROSE,
)
_WANTED: Address = {"url": st.none(), "url_status": st.none()}
_ADDRESSED: Address = {
    "url": st.sampled_from(["https://main.example.org/", "http://main.example.org/?a='b'&c"]),
    "url_status": st.none() | st.sampled_from(AddressStatus),
}


def documents(address: Address) -> st.SearchStrategy[Document]:
    return st.builds(
        Document,
        id=_IDS.map(DocumentId),
        collection=st.just(CollectionId("laws")),
        title=_LINE_TEXT,
        title_original=st.none() | _LINE_TEXT,
        title_status=st.none() | st.sampled_from(TitleStatus),
        role=st.sampled_from(Role),
        publisher=_LINE_TEXT,
        publisher_kind=st.sampled_from(PublisherKind),
        author=st.none() | _LINE_TEXT,
        published=st.none() | _DATES,
        language=st.sampled_from([None, "en", "zh-Hans", "x-own"]),
        media_type=st.sampled_from([None, "text/html", "text/*", "application/pdf"]),
        note=st.none() | _PROSE,
        alternates=st.lists(_ALTERNATES, max_size=2, unique_by=lambda one: one.url).map(tuple),
        relations=st.lists(
            _RELATIONS, max_size=2, unique_by=lambda one: (one.kind, one.document)
        ).map(tuple),
        **address,
    )


@settings(max_examples=120, deadline=None)
@given(documents(_WANTED) | documents(_ADDRESSED))
def test_an_entry_is_read_back_as_it_was_written(document: Document) -> None:
    """`to_toml` and the parser undo each other, and the text is safe on a terminal."""
    entry = to_toml(document)
    found = parse_collection((HEAD + entry).encode(), name="seeds/laws.toml")
    assert found.documents == (document,)
    assert all(line.isprintable() for line in entry.splitlines())


def test_entries_name_their_keys_in_the_order_of_the_format() -> None:
    """A written entry follows the documented order of keys."""
    document = Document(
        id=DocumentId("a"),
        collection=CollectionId("laws"),
        title='The "Act"',
        role=Role.SOURCE,
        publisher="P",
        publisher_kind=PublisherKind.NGO,
        published="2021-02-22",
        url="https://example.org/",
        note="a\tb",
    )
    entry = to_toml(document)
    assert entry == (
        '[[document]]\nid = "a"\ntitle = "The \\"Act\\""\nrole = "source"\npublisher = "P"\n'
        'publisher_kind = "ngo"\npublished = 2021-02-22\nurl = "https://example.org/"\n'
        'note = "a\\tb"\n'
    )
    keys = [line.split(" = ")[0] for line in entry.splitlines()[1:]]
    assert keys == [key for key in DOCUMENT_KEYS if key in keys]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: (HEAD + text).encode()))
def test_no_bytes_bring_the_parser_down(raw: bytes) -> None:
    """Any bytes give a collection or faults that are safe to print, and no other error."""
    try:
        assert parse_collection(raw, name="seeds/laws.toml").id == "laws"
    except SeedsError as error:
        assert error.faults
        assert all(line.isprintable() for line in error.faults)
