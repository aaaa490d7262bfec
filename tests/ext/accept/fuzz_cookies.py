"""Fuzz the readers of cookies and addresses against a split and `ipaddress`. Also a target of `make fuzz`."""

from collections.abc import Hashable
from ipaddress import ip_address

from ext.accept.handshake import Judge, cookie_value, identity_of
from ext.accept.ip_address_codec import spelled
from server.ops.security import identity_cookie

WORDS = (
    b"id=", b"__Host-id=", b"; ", b";", b"=", b" ", b"\t", b",", b", ", b":", b"::", b"::1", b"::ffff:", b"10.0.0.1", b"192.0.2.7", b"2001:db8::7",
    b"fe80::1%eth0", b"%", b".", b"0", b"00", b"255", b"256", b"[", b"]", b"[::1]:80", b"unknown", b"\xff", b"\xc2\xa0", b'"', b"0x7f", b"1" * 22,
)  # fmt: skip
PROXY, STRANGER = "10.0.0.1", "192.0.2.9"
JUDGE = Judge(hosts=["localhost"], origins=[], proxies=["10.0.0.0/8", "::1/128"], port_header="x-port")
NAMES = (b"id", b"__Host-id", b"")
IDENTITIES = identity_cookie.Identities(bytes(32))


def seeds() -> list[bytes]:
    """Return a header, a line break, and addresses, as browsers and proxies write them."""
    value = b"A" * 22
    return [
        b"id=" + value + b"\n203.0.113.7",
        b"x=1; __Host-id=" + value + b"; id=" + value + b"\n1.2.3.4, 2001:db8::7, 10.0.0.2",
        b"x=1 __Host-id=abc\n::ffff:192.0.2.7",
        b"id=;id = 5; =7\n[2001:db8::1]:443, unknown",
        b"\nfe80::1%eth0,1.2.3.4:80",
    ]


def halves(data: bytes) -> tuple[bytes, str]:
    """Return a Cookie header and a text of addresses."""
    header, _, text = data.partition(b"\n")
    return header, text.decode("utf-8", "surrogateescape")


def enter(data: bytes) -> Hashable:
    """Read all of an input: cookies by two names, and the client's address behind a proxy and without one."""
    header, text = halves(data)
    plain, secure = identity_of(header, False), identity_of(header, True)
    assert plain is None or IDENTITIES.of(plain) >= 0
    assert secure is None or identity_cookie.answer(secure, True).startswith("__Host-id=")
    assert JUDGE.address(STRANGER, text) == STRANGER
    address = JUDGE.address(PROXY, text)
    assert spelled(address) == address
    assert -1 <= JUDGE.port(PROXY, text.encode("utf-8", "surrogateescape")) <= 65_535
    return plain is None, secure is None, ":" in address, address == PROXY


def by_splitting(header: bytes, name: bytes) -> bytes | None:
    """Return the value of the first cookie with this name."""
    for pair in header.split(b";"):
        known, sign, value = pair.partition(b"=")
        if sign and known.strip(b" \t") == name:
            return value.strip(b" \t")
    return None


def fuzz(data: bytes) -> Hashable:
    """Compare cookies with a split, and the address with `ipaddress`."""
    header, text = halves(data)
    for name in NAMES[:2]:
        assert cookie_value(header, name) == by_splitting(header, name)
    assert str(ip_address(JUDGE.address(PROXY, text))) == JUDGE.address(PROXY, text)
    return enter(data)
