"""Convert IP addresses between text and 16 bytes with the C library, some hundred times as fast as the module `ipaddress`."""
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.string cimport memcmp, memcpy, memset, strlen

from ext.base.system cimport AF_INET, AF_INET6, inet_ntop, inet_pton

cdef enum:
    TEXT = 64         # bytes that hold the longest text of an address

cdef const uint8_t *MAP = <const uint8_t *>b"\0\0\0\0\0\0\0\0\0\0\xff\xff"


def spelled(text: str) -> str:
    """Return the canonical text of an address. Raises ValueError if `text` is no address."""
    cdef uint8_t[ADDRESS] address
    if not read_address(text, address):
        raise ValueError("no address")
    return spelled_address(address)


cdef bint read_address(str text, uint8_t *address) except -1:
    """Parse an address without a scope id; False if `text` is no address."""
    cdef Py_ssize_t size
    cdef const char *found
    if not text.isascii():
        return False
    found = PyUnicode_AsUTF8AndSize(text, &size)
    if size != <Py_ssize_t>strlen(found):
        return False
    if inet_pton(AF_INET, found, address + 12) == 1:
        memcpy(address, MAP, 12)
        return True
    return inet_pton(AF_INET6, found, address) == 1


cdef bint is_mapped(const uint8_t *address) noexcept nogil:
    """Whether the address is IPv4."""
    return memcmp(address, MAP, 12) == 0


cdef bint within(const uint8_t *address, const uint8_t *network, int bits) noexcept nogil:
    """Whether both addresses begin with the same `bits` bits."""
    cdef int whole = bits // 8, rest = bits % 8
    if memcmp(address, network, whole):
        return False
    return rest == 0 or (address[whole] ^ network[whole]) >> (8 - rest) == 0


cdef int spell4(const uint8_t *address, char *text) noexcept nogil:
    """Write the four bytes of an IPv4 address as text with a terminating zero, at most SPELLED4 bytes. Return the number of characters."""
    cdef char *p = text
    cdef int i
    cdef uint8_t byte
    for i in range(4):
        byte = address[i]
        if byte >= 100:
            p[0] = <char>(c"0" + byte // 100)
            p += 1
        if byte >= 10:
            p[0] = <char>(c"0" + byte // 10 % 10)
            p += 1
        p[0] = <char>(c"0" + byte % 10)
        p[1] = c"."
        p += 2
    p -= 1  # no dot after the last number
    p[0] = 0
    return <int>(p - text)


cdef str spelled_address(const uint8_t *address):
    """Return the canonical text of 16 bytes."""
    cdef char[TEXT] text
    if is_mapped(address):
        return PyUnicode_DecodeASCII(text, spell4(address + 12, text), NULL)
    else:
        inet_ntop(AF_INET6, address, text, TEXT)
        if b"." in text:  # the C library prints the last half of the first 2**32 addresses as IPv4
            return f"::{address[12] << 8 | address[13]:x}:{address[14] << 8 | address[15]:x}"
    return text.decode("ascii")


cdef str network_around(const uint8_t *address, int bits):
    """Return the IPv6 network with the same first `bits` bits as `address/bits`; `bits` is a multiple of eight from 8 to 120."""
    cdef uint8_t[ADDRESS] masked
    memcpy(masked, address, bits // 8)
    memset(masked + bits // 8, 0, ADDRESS - bits // 8)
    return f"{spelled_address(masked)}/{bits}"
