"""The envelope scanner. Rule: it accepts one canonical spelling and nothing that orjson and the rules would refuse."""
from libc.stdint cimport uint8_t

cdef enum:
    OTHER = 0       # the general parser decides
    MESSAGE = 1
    TYPING_ON = 2
    TYPING_OFF = 3
    ASK_PONG = 4

cdef struct line_t:
    const uint8_t *text   # between the quotes, escapes as they came
    Py_ssize_t size
    const uint8_t *id
    Py_ssize_t id_size    # 0: no id

cdef int scan(const uint8_t *p, Py_ssize_t n, line_t *line) noexcept nogil
