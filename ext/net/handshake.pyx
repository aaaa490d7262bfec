"""The judge of request heads: RFC 6455 section 4.2.1, and who may come in at all.

The Host must be known (a page elsewhere whose name was pointed here is not), an Origin must be that Host or be listed, no Origin is
a program. The client's address is the socket's, or what the nearest proxy that we do not trust was seen as (X-Forwarded-For, read from the right).
"""
from base64 import b64encode
from hashlib import sha1
from ipaddress import ip_address, ip_network

from libc.stdint cimport uint8_t

from ext.net.sys cimport memmem

cdef bytes GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
cdef enum:
    FORWARDED_MAX = 32  # addresses of one chain that are looked at
    TRUSTED_MAX = 4096  # proxies' addresses whose verdict is remembered
cdef frozenset SINGLE = frozenset(
    (b"host", b"upgrade", b"sec-websocket-key", b"sec-websocket-version", b"origin", b"content-length", b"transfer-encoding")
)
cdef tuple VERSIONS = (b"HTTP/1.1", b"HTTP/1.0")
cdef bytes TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"  # RFC 9110 section 5.6.2, in lower case
cdef bytes SHOWN = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))  # what a line of a head may hold (5.5)
cdef dict REASONS = {
    400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 408: "Request Timeout", 421: "Misdirected Request",
    426: "Upgrade Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large", 503: "Service Unavailable",
}


cdef Py_ssize_t head_end(const uint8_t *p, Py_ssize_t n) noexcept nogil:
    """Bytes of the request head at `p`, its empty line included; 0 where it is not whole."""
    cdef uint8_t *end = <uint8_t *>memmem(p, n, b"\r\n\r\n", 4)
    return end - p + 4 if end != NULL else 0


cpdef bytes answer(int status, str words, bytes more=b""):
    """A whole HTTP answer that refuses: one line of text, and the connection ends. `more`: further header lines, each with CRLF."""
    body = (words + "\n").encode()
    return (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\nX-Content-Type-Options: nosniff\r\n"
    ).encode() + more + b"\r\n" + body


cdef tuple parted(str host):
    """(name, port) of a Host header's value, the port "" where there is none. What is no port stays with the name, which nobody has."""
    name, colon, port = host.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or name.startswith("[") and not name.endswith("]"):
        name, port = host, ""
    return name.lower().removesuffix("."), port


cpdef frozenset spelled(names):
    """Names of this server as `known` compares them."""
    return frozenset([name.lower().removesuffix(".") for name in names])


cpdef bint known(str host, frozenset names):
    """Whether a Host header's value is one of `names` (as `spelled` makes them), whatever its port; `*` among them: every one is.

    The one rule for which spellings of a host are the same, for pages and for `/ws`: case does not count, nor does a dot at the end.
    """
    return parted(host)[0] in names or "*" in names


cdef str plain(str origin):
    """An Origin with its host spelled as `known` compares it."""
    scheme, separator, host = origin.lower().partition("://")
    name, port = parted(host)
    return f"{scheme}{separator}{name}:{port}" if port else f"{scheme}{separator}{name}"


cdef class Verdict:
    """What becomes of a request head. `status`: 101 taken, 0 not a matter of `/ws`, else an HTTP refusal; `answer`: the bytes to send."""


cdef Verdict refused(int status, str reason, str words, bytes more=b""):
    cdef Verdict verdict = Verdict.__new__(Verdict)
    verdict.status = status
    verdict.reason = reason
    verdict.answer = answer(status, words, more)
    return verdict


cdef bint has_token(bytes value, bytes token):
    """Whether a comma list holds `token` (lower case)."""
    if value == token:
        return True
    return token in [part.strip() for part in value.lower().split(b",")]


cdef class Judge:
    """Knows the hosts, origins and proxies of this server; `*` among the hosts or origins: every one is taken."""

    def __init__(self, *, hosts, origins, proxies):
        self.hosts = spelled(hosts)
        self.origins = frozenset(plain(origin) for origin in origins)
        self.proxies = tuple(ip_network(proxy) for proxy in proxies)
        self.trusted = {}

    def trusts(self, address: str) -> bool:
        """Whether `address` is a proxy of ours, whose word on a client's address is taken."""
        if not self.proxies:
            return False
        known = self.trusted.get(address)
        if known is None:
            try:
                parsed = ip_address(address)
            except ValueError:
                return False
            if parsed.version == 6 and parsed.ipv4_mapped is not None:
                parsed = parsed.ipv4_mapped
            known = any(parsed.version == network.version and parsed in network for network in self.proxies)
            if len(self.trusted) < TRUSTED_MAX:
                self.trusted[address] = known
        return known

    def address(self, peer: str, forwarded: str) -> str:
        """The client's address: `peer`, or the last of `forwarded` that is no proxy of ours. What is no address ends the search."""
        if peer.startswith("::ffff:") and "." in peer:
            peer = peer[7:]
        if not forwarded or not self.trusts(peer):
            return peer
        chain = forwarded.rsplit(",", FORWARDED_MAX)
        for part in reversed(chain[1:] if len(chain) > FORWARDED_MAX else chain):
            try:
                parsed = ip_address(part.strip())
            except ValueError:
                break
            if parsed.version == 6 and parsed.ipv4_mapped is not None:
                parsed = parsed.ipv4_mapped
            peer = str(parsed)
            if not self.trusts(peer):
                break
        return peer

    cdef Verdict judge(self, bytes head, str peer):
        """The verdict on a whole head (bytes up to and with the empty line) that came from `peer`."""
        cdef Verdict verdict
        cdef bytes line, name, value
        cdef dict fields
        cdef list lines = head[:len(head) - 4].split(b"\r\n")
        line = lines[0]
        parts = line.split(b" ")
        if len(parts) != 3 or parts[2] not in VERSIONS or head.replace(b"\r\n", b"").translate(None, SHOWN):
            return refused(400, "bad", "This is not a request.")
        if parts[1].partition(b"?")[0] != b"/ws":
            verdict = Verdict.__new__(Verdict)
            verdict.status = 0
            return verdict
        fields = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            name = name.lower()
            if not colon or not name or name.translate(None, TOKEN):
                return refused(400, "bad", "A header line is broken.")
            if name in fields:
                if name in SINGLE:
                    return refused(400, "bad", "A header stands twice that may stand once.")
                fields[name] = fields[name] + (b"; " if name == b"cookie" else b", ") + value.strip()
            else:
                fields[name] = value.strip()
        return self.upgrade(parts[0], parts[2], fields, peer)

    cdef Verdict upgrade(self, bytes method, bytes version, dict fields, str peer):
        cdef bytes key = fields.get(b"sec-websocket-key", b""), field = fields.get(b"host"), origin = fields.get(b"origin")
        cdef str host
        if method != b"GET":
            return refused(405, "bad", "A WebSocket begins with GET.", b"Allow: GET\r\n")
        if field is None or version == b"HTTP/1.0":
            return refused(400, "bad", "A WebSocket wants HTTP/1.1 and a Host.")
        host = field.decode("latin-1")
        if not known(host, self.hosts):
            return refused(421, "host", "This server does not know that name. Its operator sets SERENDIP_SERVER__HOSTS.")
        if fields.get(b"upgrade", b"").lower() != b"websocket" or not has_token(fields.get(b"connection", b""), b"upgrade"):
            return refused(426, "bad", "A WebSocket is spoken here.", b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
        if fields.get(b"sec-websocket-version") != b"13":
            return refused(426, "version", "Version 13 of WebSocket is spoken here.", b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
        if len(key) != 24 or not key.endswith(b"==") or fields.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in fields:
            return refused(400, "bad", "The Sec-WebSocket-Key is not 16 bytes in base64, or the request has a body.")
        if origin is not None and not self.allows(origin.decode("latin-1"), host):
            return refused(403, "origin", "Pages from elsewhere may not use this server. Its operator sets SERENDIP_SERVER__ORIGINS.")
        return self.accepted(fields, key, peer)

    cdef Verdict accepted(self, dict fields, bytes key, str peer):
        cdef Verdict verdict = Verdict.__new__(Verdict)
        cdef bytes protocol = b""
        if b"sec-websocket-protocol" in fields and b"serendip.v1" in [part.strip() for part in fields[b"sec-websocket-protocol"].split(b",")]:
            protocol = b"\r\nSec-WebSocket-Protocol: serendip.v1"
        verdict.status = 101
        verdict.answer = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + b64encode(sha1(key + GUID).digest()) + protocol + b"\r\n\r\n"
        )
        verdict.address = self.address(peer, fields[b"x-forwarded-for"].decode("latin-1")) if b"x-forwarded-for" in fields else self.address(peer, "")
        verdict.identity = identity_of(fields[b"cookie"]) if b"cookie" in fields else None
        return verdict

    cdef bint allows(self, str origin, str host):
        """Whether pages of that origin may connect: the Host's own, over either scheme, or a listed one."""
        cdef str page = plain(origin)
        return page in self.origins or "*" in self.origins or page == plain("http://" + host) or page == plain("https://" + host)


cdef bytes identity_of(bytes cookie):
    """The value of the identity cookie (`__Host-id`, else `id`) in a Cookie header, at most 64 bytes; None where there is none."""
    found = None
    for part in cookie.split(b";"):
        name, equals, value = part.strip().partition(b"=")
        if equals and 0 < len(value) <= 64:
            if name == b"__Host-id":
                return value
            if name == b"id" and found is None:
                found = value
    return found
