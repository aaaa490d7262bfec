"""Check WebSocket handshakes for `/ws`: RFC 6455 section 4.2.1, allowed hosts and origins, and the client's address behind proxies.

The Host must be one of this server's names (against DNS rebinding), and an Origin must equal this Host or be listed; programs send no Origin. The
client's address is the socket's, or behind trusted proxies the rightmost X-Forwarded-For address that is not a trusted proxy.
"""
from ipaddress import ip_network

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memchr, memcpy, strlen

from ext.accept.ip_address_codec cimport ADDRESS, MAPPED, is_mapped, read_address, spelled_address, within
from ext.base.protocol cimport WAY_PLAIN, WAY_PRIVATE
from ext.accept.handshake_reply cimport KEY_SIZE, switching

cdef enum:
    FORWARDED_MAX = 32  # addresses of one header that are read
    PACKED = ADDRESS + 2  # bytes of a proxy's network: its first address, its bits, and whether it is IPv4
    SERVED_MAX = 64     # spellings of this server's names that are cached

cdef enum:  # the header fields that decide; those before SINGLE may occur once
    HOST
    UPGRADE
    KEY
    VERSION
    ORIGIN
    LENGTH
    ENCODING
    SINGLE
    CONNECTION = SINGLE
    PROTOCOL
    FORWARDED
    SCHEME
    COOKIE
    GPC
    FIELDS
    PORT = FIELDS  # the header that names the client's port, as the operator calls it
    FIELDS_READ

cdef const char *spelling[FIELDS]
spelling[HOST] = b"host"
spelling[UPGRADE] = b"upgrade"
spelling[KEY] = b"sec-websocket-key"
spelling[VERSION] = b"sec-websocket-version"
spelling[ORIGIN] = b"origin"
spelling[LENGTH] = b"content-length"
spelling[ENCODING] = b"transfer-encoding"
spelling[CONNECTION] = b"connection"
spelling[PROTOCOL] = b"sec-websocket-protocol"
spelling[FORWARDED] = b"x-forwarded-for"
spelling[SCHEME] = b"x-forwarded-proto"
spelling[COOKIE] = b"cookie"
spelling[GPC] = b"sec-gpc"
cdef Py_ssize_t spelled_in[FIELDS]  # their lengths in bytes
for one in range(FIELDS):
    spelled_in[<int>one] = strlen(spelling[<int>one])

cdef enum:  # classes of bytes, as bits
    IN_NAMES = 1
    IN_TARGETS = 2
    CONTROLS = 4
    BREAKS = 8

cdef uint64_t ONES = 0x0101010101010101
cdef uint8_t kind[256]
for byte in range(256):
    kind[<int>byte] = (
        (IN_NAMES if byte in b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" else 0)  # RFC 9110, 5.6.2
        | (IN_TARGETS if 0x20 < byte < 0x7f else 0) | (CONTROLS if byte < 0x20 and byte != 0x09 or byte == 0x7f else 0)
    )

cdef dict REASONS = {
    400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 408: "Request Timeout", 421: "Misdirected Request",
    426: "Upgrade Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large", 503: "Service Unavailable",
}


cdef Py_ssize_t head_end(const uint8_t *p, Py_ssize_t n) noexcept nogil:
    """Return the size of the request head at `p` with its empty line; 0 if it is incomplete.

    A head with a line feed alone is never valid (`strangers`): it ends there, as its sender may wait for an answer to an empty line that never comes.
    """
    cdef const uint8_t *feed
    cdef Py_ssize_t at = 0
    while at < n:
        feed = <const uint8_t *>memchr(p + at, c"\n", n - at)
        if feed == NULL:
            return 0
        at = feed - p
        if at == 0 or p[at - 1] != c"\r" or at >= 3 and p[at - 2] == c"\n" and p[at - 3] == c"\r":
            return at + 1
        at += 1
    return 0


cpdef bytes answer(int status, str words, bytes more=b""):
    """Return a complete HTTP response that refuses a request: one line of text, then the connection closes.

    `more`: further header lines, each with CRLF. Any page may read it, so that a client in a page of another origin can say why it was refused.
    """
    body = (words + "\n").encode()
    return (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\nX-Content-Type-Options: nosniff\r\nAccess-Control-Allow-Origin: *\r\n"
        "Access-Control-Expose-Headers: Retry-After\r\n"
    ).encode() + more + b"\r\n" + body


cpdef bytes limited(int wait):
    """Return the response to one connection too many of an address. `wait`: seconds until it may retry; 0: once it has fewer open."""
    return answer(429, "Too many connections come from your network.", b"Retry-After: %d\r\n" % wait if wait else b"")


cdef tuple split_host(str host):
    """Split a Host header's value into (name, port); the port is "" if it is missing or no number, which then stays part of the name."""
    name, colon, port = host.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or name.startswith("[") and not name.endswith("]"):
        name, port = host, ""
    return name.lower().removesuffix("."), port


cpdef frozenset spelled(names):
    """Normalise names of this server for `known`."""
    return frozenset([name.lower().removesuffix(".") for name in names])


cpdef bint known(str host, frozenset names):
    """Whether a Host header's value is one of `names` (made by `spelled`), with any port.

    `*.chat.example` matches names with exactly one more label, as in a certificate; `*` matches all. Pages and `/ws` share this rule: case
    and a trailing dot are ignored.
    """
    cdef str name = split_host(host)[0]
    cdef Py_ssize_t dot = name.find(".")
    return name in names or "*" in names or dot > 0 and "*" + name[dot:] in names


cdef str plain(str origin):
    """Normalise the host of an Origin for comparison."""
    scheme, separator, host = origin.lower().partition("://")
    name, port = split_host(host)
    return f"{scheme}{separator}{name}:{port}" if port else f"{scheme}{separator}{name}"


cdef class Verdict:
    """Result of a head's check. `status`: 101 accepted, 0 not a request for `/ws`, else an HTTP refusal; `answer`: the bytes to send."""


cdef Verdict refused(int status, str reason, str words, bytes more=b""):
    cdef Verdict verdict = Verdict.__new__(Verdict)
    verdict.status = status
    verdict.reason = reason
    verdict.answer = answer(status, words, more)
    return verdict


cdef bint has_token(bytes value, bytes token):
    """Whether a comma-separated list contains `token` (lower case)."""
    value = value.lower()
    return value == token or token in [part.strip() for part in value.split(b",")]


cdef bint all_of(bytes text, int what) noexcept:
    """Whether every byte is of class `what`."""
    cdef const uint8_t *p = <const uint8_t *><const char *>text
    cdef Py_ssize_t i
    for i in range(len(text)):
        if not kind[p[i]] & what:
            return False
    return True


cdef bint well_formed(bytes method, bytes target, bytes version):
    """Whether the parts of a request line are well-formed (RFC 9112, 3)."""
    return len(method) > 0 and all_of(method, IN_NAMES) and all_of(target, IN_TARGETS) and len(version) == 8 and version[7:].isdigit()


cdef inline bint has_no_control(uint64_t word) noexcept nogil:
    """Whether none of eight bytes is a control character. May be False without one, never True with one."""
    cdef uint64_t deleted = word ^ ONES * 0x7f
    return ((word - ONES * 0x20) & ~word | (deleted - ONES) & ~deleted) & ONES * 0x80 == 0


cdef int forbidden_bytes(const uint8_t *p, Py_ssize_t size) noexcept nogil:
    """Return which forbidden bytes a head contains: BREAKS (a bare line feed, a zero), CONTROLS (any other control character)."""
    cdef Py_ssize_t i = 0, looked = 0
    cdef int found = 0
    cdef uint64_t word
    while i < size:
        if i >= looked and i + 8 <= size:
            memcpy(&word, p + i, 8)
            if has_no_control(word):
                i += 8
                continue
            looked = i + 8  # byte by byte up to here
        if kind[p[i]] & CONTROLS:
            if p[i] == c"\r" and i + 1 < size and p[i + 1] == c"\n":
                i += 1
            else:
                found |= BREAKS if p[i] == c"\n" or p[i] == 0 else CONTROLS
        i += 1
    return found


cdef inline Py_ssize_t line_end(const uint8_t *p, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
    """Return the offset at which the line that begins at `at` ends; `size` for the last one."""
    cdef const uint8_t *end
    while at < size:
        end = <const uint8_t *>memchr(p + at, c"\r", size - at)
        if end == NULL:
            return size
        at = end - p
        if at + 1 < size and end[1] == c"\n":
            return at
        at += 1
    return size


cdef int field_of(const uint8_t *name, Py_ssize_t size) noexcept nogil:
    """Return which of the deciding fields has this name, ignoring case; -1 if none."""
    cdef int field
    cdef Py_ssize_t i
    for field in range(FIELDS):
        if size == spelled_in[field]:
            i = 0
            while i < size and name[i] | 0x20 == spelling[field][i]:  # only letters and hyphens occur in a name
                i += 1
            if i == size:
                return field
    return -1


cdef const char *read_fields(const uint8_t *p, Py_ssize_t at, Py_ssize_t size, list fields, str port_header) except? NULL:
    """Read the deciding fields of the header lines after offset `at` into `fields`. Return the fault that they have, or NULL.

    `port_header`: name of the header with the client's port, in lower case; empty: none is read.
    """
    cdef Py_ssize_t end, colon, i
    cdef bytes value
    cdef int field
    while at < size:
        at += 2
        end = line_end(p, at, size)
        colon = at
        while colon < end and kind[p[colon]] & IN_NAMES:
            colon += 1
        if colon == at or colon == end or p[colon] != c":":
            return b"A header line is broken."
        field = field_of(p + at, colon - at)
        if field < 0 and port_header and colon - at == len(port_header) and p[at:colon].lower() == port_header.encode():
            field = PORT
        at = end
        if field < 0:
            continue
        i = colon + 1
        while i < end and (p[i] == c" " or p[i] == c"\t"):
            i += 1
        while end > i and (p[end - 1] == c" " or p[end - 1] == c"\t"):
            end -= 1
        value = p[i:end]
        if fields[field] is None:
            fields[field] = value
        elif field < SINGLE:
            return b"A header stands twice that may stand once."
        else:
            fields[field] = fields[field] + (b"; " if field == COOKIE else b", ") + value
    return NULL


cdef bytes packed(proxy):
    """Pack a network for `trusts`. Raises ValueError if it is no network."""
    cdef object network = ip_network(proxy)
    cdef bint four = network.version == 4
    cdef bytes first = network.network_address.packed
    return (b"\0" * 10 + b"\xff\xff" if four else b"") + first + bytes([network.prefixlen + (MAPPED if four else 0), four])


cdef class Judge:
    """Checks heads against the hosts, origins and proxies of this server; `*` among the hosts or origins accepts all."""

    def __init__(self, *, hosts, origins, proxies, port_header=""):
        self.change(hosts, origins, proxies, port_header)

    def change(self, hosts, origins, proxies, port_header=""):
        """Set other hosts, origins and proxies for the heads that follow. `port_header`: in which proxies write the client's port; empty: none."""
        self.hosts = spelled(hosts)
        self.origins = frozenset(plain(origin) for origin in origins)
        self.proxies = b"".join([packed(proxy) for proxy in proxies])
        self.port_header = port_header.lower()
        self.served = set()

    cpdef bint lists(self, str origin):
        """Whether `origin` is listed by its own name; for `*`, whether all are accepted."""
        return plain(origin) in self.origins

    cpdef bint trusts(self, str address):
        """Whether `address` is a trusted proxy, whose X-Forwarded-For is used."""
        cdef uint8_t[ADDRESS] parsed
        cdef const uint8_t *network = <const uint8_t *><const char *>self.proxies
        cdef Py_ssize_t i
        if not self.proxies or not read_address(address.partition("%")[0], parsed):
            return False
        for i in range(0, len(self.proxies), PACKED):
            if network[i + ADDRESS + 1] == is_mapped(parsed) and within(parsed, network + i, network[i + ADDRESS]):
                return True
        return False

    cpdef str address(self, str peer, str forwarded):
        """Return the client's address: `peer`, or the last of `forwarded` that is no trusted proxy. An entry that is no address ends the search."""
        cdef uint8_t[ADDRESS] parsed
        if peer.startswith("::ffff:") and "." in peer:
            peer = peer[7:]
        if not forwarded or not self.trusts(peer):
            return peer
        chain = forwarded.rsplit(",", FORWARDED_MAX)
        for part in reversed(chain[1:] if len(chain) > FORWARDED_MAX else chain):
            if not read_address(part.strip().partition("%")[0], parsed):  # a scope id means something to that proxy alone
                break
            peer = spelled_address(parsed)
            if not self.trusts(peer):
                break
        return peer

    cpdef int port(self, str peer, bytes written):
        """Return the client's port: -1 if `peer` is the client, else what its proxy wrote, `written`; 0 if that names no port."""
        if not self.trusts(peer[7:] if peer.startswith("::ffff:") and "." in peer else peer):
            return -1
        if written is None:
            return 0
        written = written.rpartition(b",")[2].strip(b" \t")
        if not written.isdigit() or len(written) > 5:
            return 0
        return int(written) if int(written) <= 65535 else 0

    cdef bint came_by_https(self, str peer, bytes scheme):
        """Whether a trusted proxy reports HTTPS, which ends in front of this server. `scheme`: the value of X-Forwarded-Proto, or None."""
        return scheme is not None and scheme.lower() == b"https" and self.trusts(peer)

    cdef Verdict judge(self, bytes head, str peer):
        """Check a complete head (including its empty line) that `peer` sent."""
        cdef const uint8_t *p = <const uint8_t *><const char *>head
        cdef Py_ssize_t size = len(head) - 4, first
        cdef const char *wrong
        cdef int strange = forbidden_bytes(p, len(head))
        cdef bytes target, authority = None
        cdef list fields, parts
        first = line_end(p, 0, size) if size > 0 else 0
        parts = head[:first].split(b" ")
        if len(parts) != 3 or not (<bytes>parts[2]).startswith(b"HTTP/1.") or strange & BREAKS:
            return refused(400, "bad", "This is not a request.")
        target = parts[1]
        if target[:7].lower() == b"http://":  # absolute-form: its authority counts, not Host (RFC 9112, 3.2.2)
            authority, slash, target = target[7:].partition(b"/")
            target = slash + target
        if target != b"/ws" and not target.startswith(b"/ws?"):
            return Verdict.__new__(Verdict)
        if not well_formed(parts[0], target, parts[2]) or strange:
            return refused(400, "bad", "This is not a request.")
        fields = [None] * FIELDS_READ
        wrong = read_fields(p, first, size, fields, self.port_header)
        if wrong != NULL:
            return refused(400, "bad", wrong.decode("ascii"))
        if authority is not None and fields[HOST] is not None:
            fields[HOST] = authority
        return self.upgrade(parts[0], parts[2], fields, peer)

    cdef Verdict upgrade(self, bytes method, bytes version, list fields, str peer):
        cdef bytes key = fields[KEY] or b"", field = fields[HOST], origin = fields[ORIGIN], length = fields[LENGTH], spoken = fields[VERSION]
        cdef str host
        if method != b"GET":
            return refused(405, "bad", "A WebSocket begins with GET.", b"Allow: GET\r\n")
        if field is None or version == b"HTTP/1.0":
            return refused(400, "bad", "A WebSocket wants HTTP/1.1 and a Host.")
        host = field.decode("latin-1")
        if not self.serves(host):
            return refused(421, "host", "This server does not know that name. Its operator sets SERENDIP_SERVER__HOSTS.")
        if not has_token(fields[UPGRADE] or b"", b"websocket") or not has_token(fields[CONNECTION] or b"", b"upgrade"):
            return refused(426, "bad", "A WebSocket is spoken here.", b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
        if spoken is None or spoken != b"13":
            return refused(426, "version", "Version 13 of WebSocket is spoken here.", b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
        if len(key) != KEY_SIZE or not key.endswith(b"==") or length is not None and length != b"0" or fields[ENCODING] is not None:
            return refused(400, "bad", "The Sec-WebSocket-Key is not 16 bytes in base64, or the request has a body.")
        if origin is not None and not self.allows(origin.decode("latin-1"), host):
            return refused(403, "origin", "Pages from elsewhere may not use this server. Its operator sets SERENDIP_SERVER__ORIGINS.")
        return self.accepted(fields, key, peer)

    cdef Verdict accepted(self, list fields, bytes key, str peer):
        cdef Verdict verdict = Verdict.__new__(Verdict)
        cdef bytes cookie = fields[COOKIE], forwarded = fields[FORWARDED]
        cdef bint spoken = fields[PROTOCOL] is not None and b"serendip.v1" in [part.strip() for part in (<bytes>fields[PROTOCOL]).split(b",")]
        verdict.status = 101
        verdict.answer = switching(key, spoken)
        verdict.address = self.address(peer, "" if forwarded is None else forwarded.decode("latin-1"))
        verdict.port = self.port(peer, fields[PORT])
        verdict.identity = None if cookie is None else identity_of(cookie, self.came_by_https(peer, fields[SCHEME]))
        verdict.way = (0 if secure(fields[ORIGIN]) else WAY_PLAIN) | (WAY_PRIVATE if fields[GPC] == b"1" else 0)
        return verdict

    cdef bint serves(self, str host):
        """Whether a Host header's value is a name of this server; some results are cached."""
        if host in self.served:
            return True
        if not known(host, self.hosts):
            return False
        if len(self.served) < SERVED_MAX:
            self.served.add(host)
        return True

    cdef bint allows(self, str origin, str host):
        """Whether pages of an origin may connect: the Host's own, over http or https, or a listed one."""
        cdef str page
        if origin == "https://" + host or origin == "http://" + host:
            return True
        page = plain(origin)
        return page in self.origins or "*" in self.origins or page == plain("http://" + host) or page == plain("https://" + host)


cdef bint secure(bytes origin):
    """Whether a page of this Origin is a secure context, which has WebCrypto; a program, which sends no Origin, counts as one."""
    cdef bytes name
    if origin is None or not origin.startswith(b"http://"):
        return True
    name = origin[7:].rpartition(b":")[0] if origin[7:].rpartition(b":")[2].isdigit() else origin[7:]
    return name == b"localhost" or name.endswith(b".localhost") or name == b"[::1]" or name.startswith(b"127.") and name.replace(b".", b"").isdigit()


cpdef bytes cookie_value(bytes header, bytes name):
    """Return the value of the first cookie with exactly this name in a Cookie header, or None.

    RFC 6265, 5.4: pairs end at a semicolon only, and only spaces and tabs around a name are ignored. A parser that accepted other white
    space or quotation marks as ends could read a name with a protecting prefix (`__Host-`) out of another cookie's value.
    """
    for part in header.split(b";"):
        found, equals, value = part.partition(b"=")
        if equals and found.strip(b" \t") == name:
            return value.strip(b" \t")
    return None


cpdef bytes identity_of(bytes header, bint secure):
    """Return the identity cookie of a Cookie header, 1 to 64 bytes, or None. `secure`: the request came over HTTPS.

    Over HTTPS only `__Host-id` counts, which no other host can set. Plain `id` is read without HTTPS only, because any host of the same
    domain can set it (RFC 6265bis, 4.1.3.2).
    """
    cdef bytes value = cookie_value(header, b"__Host-id")
    if value is None and not secure:
        value = cookie_value(header, b"id")
    return value if value is not None and 0 < len(value) <= 64 else None
