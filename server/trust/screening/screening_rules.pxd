# What is done for each word of a line.
cimport cython

from server.trust.screening.text_folding cimport Piece as piece_t


cdef class Node:
    cdef public dict next
    cdef public tuple rules

    @cython.locals(node=Node)
    cpdef object add(self, tuple phrase, str rule)


cdef class Line:
    cdef readonly str text
    cdef readonly list spans
    cdef readonly list words
    cdef readonly bint has_signs
    cdef readonly dict readings
    cdef Node _phrases
    cdef dict _allowed

    cpdef str text_of(self, Py_ssize_t begin, Py_ssize_t behind)

    @cython.locals(end=Py_ssize_t)
    cpdef Py_ssize_t end_of(self, Py_ssize_t behind) except -1

    @cython.locals(begins=list, reaches=list)
    cpdef tuple allowed(self, str rule)

    @cython.locals(allowed=tuple, last=Py_ssize_t)
    cpdef bint exempts(self, str rule, Py_ssize_t begin, Py_ssize_t behind) except -1

    @cython.locals(allowed=tuple, at=Py_ssize_t, reach=Py_ssize_t)
    cpdef bint covers(self, str rule, Py_ssize_t end) except -1


cdef class Rules:
    cdef object _wanted
    cdef Node _tree
    cdef Node _allowed
    cdef dict _stems
    cdef dict _names
    cdef list _templates
    cdef list _units
    cdef object _ages
    cdef public Py_ssize_t phrases
    cdef public Py_ssize_t line_max_ns
    cdef public Py_ssize_t unread
    cdef list _patterns
    cdef bint _cards

    cpdef list find(self, str text)

    @cython.locals(found=dict, beginning=str)
    cpdef tuple find_and_fold(self, str text)

    @cython.locals(text=str, begin=Py_ssize_t, behind=Py_ssize_t)
    cdef object _look(self, piece_t piece, Line line, dict found)

    @cython.locals(text=str)
    cdef object _numbers(self, piece_t piece, Line line, dict found)

    @cython.locals(words=list, hits=list, place=Py_ssize_t, end=Py_ssize_t, word=str, stem=str, whole=list, begins=list, readings=dict)
    cdef list _hits(self, Line line)


@cython.locals(found=list, first=dict, starts=set, place=Py_ssize_t)
cpdef list find_phrases(Node tree, list words, dict readings)


@cython.locals(ends=list, following=list, at=Py_ssize_t, forms=tuple, node=Node)
cdef object _walk(Node tree, list words, Py_ssize_t place, dict readings, list found)


@cython.locals(node=Node, at=Py_ssize_t)
cdef object _walk_plain(Node tree, list words, Py_ssize_t place, list found)
