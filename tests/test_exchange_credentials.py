"""Names and passwords: sent where they belong, and nowhere in what is kept or said."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from provenance.errors import UsageError
from provenance.exchange import Client, ClientSettings, split_credentials
from provenance.exchange.credentials import Login, read_netrc, redact
from provenance.fetch.settings import FetchSettings
from provenance.runtime import system_runtime
from tests.wire import playing
from tests.wire_client import FIELDS, OPEN, block, client, ok
from tests.wire_proxies import basic, http_proxy, proxying, socks5_proxy

WORDS = st.text("abcXYZ0189:/?#@[]!$&'()*+,;=%é ~-", min_size=1, max_size=12)


def home(folder: Path, text: str, mode: int = 0o600) -> dict[str, str]:
    path = folder / ".netrc"
    path.write_text(text)
    path.chmod(mode)
    return {"HOME": str(folder)}


@settings(deadline=None)
@given(user=WORDS, password=WORDS, path=st.sampled_from(["", "/", "/a@b", "?q=a@b", "#a@b"]))
def test_credentials_are_split_off_an_address(user: str, password: str, path: str) -> None:
    """What comes back is the address without them, and they themselves, decoded."""
    userinfo = f"{quote(user, safe='')}:{quote(password, safe='')}"
    bare, login = split_credentials(f"https://{userinfo}@host.example:8443{path}")
    assert bare == f"https://host.example:8443{path}"
    assert login == Login(user=user, password=password)
    assert repr(login) == "Login()"


@settings(deadline=None)
@given(st.text("ab:/?#@\\ \t%é.[]", max_size=20))
@example("user:pw@host:3128")
@example("http:user:pw@host")
@example("HTTP:/\\u:p@h/@")
@example("//u:p@h")
@example("/\t/u:p@h")
def test_no_address_keeps_anything_before_its_host(rest: str) -> None:
    """Whatever the address looks like, no part that a client could take for a user stays."""
    for url in (rest, f"http://{rest}", f"http:{rest}"):
        bare, login = split_credentials(url)
        assert split_credentials(bare) == (bare, None)
        assert (login is None) == (bare == url)
        try:
            assert urlsplit(bare).username is None
        except ValueError:
            pass  # no address at all


def test_the_settings_of_a_run_name_a_proxy_without_its_password() -> None:
    """Also where the scheme is left out."""
    for proxy in ("http://ann:hunter2@proxy.example:3128", "ann:hunter2@proxy.example:3128"):
        made = FetchSettings(proxy=proxy)
        assert "hunter2" not in repr(made)
        line = dict(made.lines())["setting-proxy"]
        assert line.endswith("proxy.example:3128")
        assert "hunter2" not in line
        assert "ann" not in line


def test_a_password_in_the_address_is_sent_to_the_host_and_not_kept() -> None:
    """It becomes basic authentication; the request target and the recorded address lack it."""
    with playing(ok(b"x"), closes=False) as wire, client() as asking:
        exchange = asking.get(f"http://ann:p%40ss@127.0.0.1:{wire.port}/a")
        assert f"Authorization: Basic {basic('ann', 'p@ss')}\r\n".encode() in wire.requests[0]
        assert wire.requests[0].startswith(b"GET /a HTTP/1.1\r\n")
        assert exchange.url == f"{wire.url}/a"
        assert b"Authorization: redacted\r\n" in exchange.request
        assert (exchange.redacted, exchange.credentials_kept) == (("authorization",), ())
        asking.get(f"{wire.url}/b")
        assert b"Authorization" not in wire.requests[1]


def test_netrc_is_asked_for_each_host_alone(tmp_path: Path) -> None:
    """The login of one host is never sent to another, a port changes nothing, no default."""
    environ = home(
        tmp_path,
        "machine 127.0.0.1 login ann password hunter2\n"
        "machine other.example login bob password x\n"
        "default login eve password y\n",
    )

    def resolve(host: str, port: int) -> tuple[tuple[socket.AddressFamily, tuple[str, int]], ...]:
        return ((socket.AF_INET, ("127.0.0.1", port)),)

    with (
        playing(ok(b"x"), closes=False) as wire,
        client(environ=environ, resolve=resolve) as asking,
    ):
        for host in ("127.0.0.1", "third.example", "OTHER.example"):
            asking.get(f"http://{host}:{wire.port}/")
        sent = [f"Basic {basic(*login)}".encode() for login in (("ann", "hunter2"), ("bob", "x"))]
        assert sent[0] in wire.requests[0]
        assert b"Authorization" not in wire.requests[1]
        assert sent[1] in wire.requests[2]
    with playing(ok(b"x")) as wire, client() as asking:
        asking.get(wire.url)
        assert b"Authorization" not in wire.requests[0]


def test_the_netrc_variable_stands_above_home(tmp_path: Path) -> None:
    """A file that is not there, or /dev/null, holds no logins."""
    environ = home(tmp_path, "machine a.example login ann password x\ndefault login e password y\n")
    other = tmp_path / "other"
    other.write_text("machine B.example login bob password y\n")
    other.chmod(0o600)
    assert set(read_netrc(environ)) == {"a.example"}
    assert set(read_netrc(environ | {"NETRC": str(other)})) == {"b.example"}
    assert set(read_netrc(environ | {"NETRC": "~/other"})) == {"b.example"}
    assert read_netrc(environ | {"NETRC": "/dev/null"}) == {}
    assert read_netrc(environ | {"NETRC": str(tmp_path / "missing")}) == {}
    assert read_netrc({}) == {}


def test_a_faulty_netrc_and_one_that_others_can_read_are_usage_errors(tmp_path: Path) -> None:
    """The message names file and line and what to do, and repeats no word of the file."""
    wrong = (
        ("machine a.example login ann password hunter2 hunter3\n", 0o600, "netrc near line"),
        ("machine a.example login ann password hunter2\n", 0o644, "chmod 600"),
        ("machine \udce9", 0o600, "cannot be read"),
    )
    for text, mode, said in wrong:
        path = tmp_path / ".netrc"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        path.chmod(mode)
        with (
            pytest.raises(UsageError, match=said) as caught,
            client(environ={"HOME": str(tmp_path)}),
        ):
            pass
        assert "hunter" not in str(caught.value)
    environ = home(tmp_path, "machine a.example\n", 0o644)
    assert set(read_netrc(environ)) == {"a.example"}


def test_credentials_are_kept_where_that_is_asked_for_and_named() -> None:
    """All but the proxy's, which are never kept."""
    with (
        playing(ok(b"x", b"Set-Cookie: s=sesame"), closes=False) as wire,
        proxying(http_proxy, login=("eve", "hunter3")) as by,
        client(keep_credentials=True, proxy=f"http://eve:hunter3@127.0.0.1:{by.port}") as asking,
    ):
        url = f"http://ann:hunter2@127.0.0.1:{wire.port}/"
        asking.get(url)
        exchange = asking.get(url)
        assert exchange.credentials_kept == ("authorization", "cookie")
        assert exchange.redacted == ("proxy-authorization",)
        assert b"Cookie: s=sesame\r\n" in exchange.request
        assert basic("ann", "hunter2").encode() in exchange.request
        assert basic("eve", "hunter3").encode() not in exchange.request


def test_redaction_leaves_every_other_byte() -> None:
    """Values go, names and all else stay, in the head alone."""
    raw = b"GET / HTTP/1.1\r\nCookie: a\r\nX: Cookie: b\r\n\r\nCookie: c"
    assert redact(raw) == (raw.replace(b"Cookie: a", b"Cookie: redacted"), ("cookie",), ())
    assert redact(raw, keep=frozenset({"cookie"})) == (raw, (), ("cookie",))


def everything(value: object) -> Iterator[bytes]:
    """Yield all bytes and texts that a value holds, at any depth, and its repr."""
    yield repr(value).encode("utf-8", "backslashreplace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from everything(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from everything(each)
    elif isinstance(value, bytes):
        yield value
    elif hasattr(value, "read"):
        value.seek(0)  # type: ignore[attr-defined]
        yield value.read()


SECRETS = st.text("abcXYZ0189!$&*+,;=~-", min_size=1, max_size=9).map("Zq!k~".__add__)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(
    secrets=st.lists(SECRETS, min_size=4, max_size=4, unique=True),
    kind=st.sampled_from(["http", "socks5h", "http-refuses", "nobody", "none"]),
    target=st.sampled_from(["http", "https", "bad"]),
    played=st.sampled_from([ok(b"fine"), b"no HTTP at all", b""]),
)
def test_no_secret_is_in_anything_that_is_kept_or_said(
    tmp_path: Path, secrets: list[str], kind: str, target: str, played: bytes
) -> None:
    """Passwords of address, netrc and proxy, and cookies: in no field, no repr, no detail."""
    of_url, of_netrc, of_proxy, cookie = secrets
    environ = home(tmp_path, f"machine localhost login ann password {of_netrc}\n")
    make = socks5_proxy if kind == "socks5h" else http_proxy
    login = ("eve", of_proxy + ("x" if kind == "http-refuses" else ""))
    script = ok(b"x", f"Set-Cookie: c={cookie}".encode())
    with (
        playing(lambda head: script if b" /first" in head else played) as wire,
        proxying(make, login=login) as by,
    ):
        port = 1 if kind == "nobody" else by.port
        scheme = "socks5h" if kind == "socks5h" else "http"
        proxy = f"{scheme}://eve:{quote(of_proxy, safe='')}@127.0.0.1:{port}"
        made = ClientSettings(
            fields=FIELDS, timeout_s=0.2, trust_env=True, proxy="" if kind == "none" else proxy
        )
        runtime = dataclasses.replace(system_runtime(), environ=environ)
        asking = Client(runtime, made, OPEN)
        user = f"bob:{quote(of_url, safe='')}"
        asking.get(f"http://{user}@localhost:{wire.port}/first")
        rest = f"localhost:{wire.port}/second" if target != "bad" else "local host:x/\\"
        exchanges = [
            asking.get(f"{'http' if target == 'bad' else target}://{who}{rest}")
            for who in ("", f"{user}@")
        ]
        asking.close()
    kept = [*everything(exchanges), repr(made).encode(), repr(asking).encode()]
    needles = [secret.encode() for secret in secrets]
    needles += [quote(secret, safe="").encode() for secret in secrets]
    for user, secret in (("bob", of_url), ("ann", of_netrc), ("eve", of_proxy)):
        needles.append(basic(user, secret).encode())
    found = [needle for needle in needles if any(needle in raw for raw in kept)]
    assert found == []


def test_extra_fields_go_out_in_order_and_as_given() -> None:
    """They follow the client's own, replace one of the same name, and may repeat."""
    extra = (
        ("If-None-Match", '"caf\xe9", W/"b"'),
        ("if-modified-since", "Tue, 24 Nov 2026 00:00:00 GMT"),
        ("Accept", "text/html"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
        ("X-Odd", ' "a\tb" '),
    )
    with playing(ok(b"x"), closes=False) as wire, client() as asking:
        exchange = asking.get(wire.url + "/a", fields=extra)
        lines = wire.requests[0].split(b"\r\n")
        assert lines == [
            b"GET /a HTTP/1.1",
            b"Host: 127.0.0.1:%d" % wire.port,
            b"User-Agent: test",
            b"Accept-Encoding: identity",
            b'If-None-Match: "caf\xe9", W/"b"',
            b"if-modified-since: Tue, 24 Nov 2026 00:00:00 GMT",
            b"Accept: text/html",
            b"X-Twice: 1",
            b"X-Twice: 2",
            b'X-Odd:  "a\tb" ',
            b"",
            b"",
        ]
        assert exchange.request == wire.requests[0]
        asking.get(wire.url + "/b")
        assert b"If-None-Match" not in wire.requests[1]


@pytest.mark.parametrize(
    "value", ["a\r\nX-Injected: 1", "a\nb", "a\rb", "a\0b", "\u4e2d", "a\r\n folded"]
)
def test_a_field_that_cannot_be_sent_is_left_out(value: str) -> None:
    """An odd validator of a server costs the condition, not the document."""
    with playing(ok(b"x")) as wire, client() as asking:
        exchange = asking.get(wire.url, fields=(("If-None-Match", value), ("X-Next", "1")))
        assert block(exchange) == ok(b"x")
        assert b"If-None-Match" not in wire.requests[0]
        assert b"X-Injected" not in wire.requests[0]
        assert b"X-Next: 1" in wire.requests[0]
