"""Base64 (RFC 4648) of what is short. Rule: of whole groups of three bytes, so that nothing is padded; who has others pads by himself."""
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t, uint32_t

cdef enum:
    MOST = 96   # bytes of one call from Python
    TEXT = 128  # characters of so many

cdef const char *STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
cdef const char *URL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


cdef void spell64(const uint8_t *data, size_t size, bint url, uint8_t *text) noexcept nogil:
    """Four characters into `text` for each three bytes. `url`: in the alphabet of URLs."""
    cdef const char *alphabet = URL if url else STANDARD
    cdef uint32_t bits
    cdef size_t i
    for i in range(0, size, 3):
        bits = <uint32_t>data[i] << 16 | <uint32_t>data[i + 1] << 8 | data[i + 2]
        text[0] = alphabet[bits >> 18]
        text[1] = alphabet[bits >> 12 & 63]
        text[2] = alphabet[bits >> 6 & 63]
        text[3] = alphabet[bits & 63]
        text += 4


cpdef str url64(bytes data):
    """In the alphabet of URLs. ValueError: the size is no multiple of three, or above 96."""
    cdef size_t size = <size_t>len(data)
    cdef uint8_t[TEXT] text
    if size % 3 or size > MOST:
        raise ValueError("whole groups of three bytes are spelled, 96 at most")
    spell64(<const uint8_t *><const char *>data, size, True, text)
    return PyUnicode_DecodeASCII(<const char *>text, <Py_ssize_t>(size // 3 * 4), NULL)
