"""Declare the scanner for chat lines (fast_chat_line_parser.pyx).

**Invariant:** the scanner accepts one spelling of JSON, and nothing that orjson or the rules of the protocol would refuse.
"""
from libc.stdint cimport uint8_t

cdef enum:
    OTHER = 0       # for the general parser
    MESSAGE = 1
    TYPING_ON = 2
    TYPING_OFF = 3
    ASK_PONG = 4

cdef struct line_t:
    const uint8_t *text   # between the quotes, escapes unchanged
    Py_ssize_t size
    const uint8_t *id
    Py_ssize_t id_size    # 0: there is no id

cdef int scan(const uint8_t *p, Py_ssize_t n, line_t *line) noexcept nogil
