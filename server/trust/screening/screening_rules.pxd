# What is done for each piece of a line.
cimport cython

from server.trust.screening.text_folding cimport Piece as piece_t


cdef class Search:
    cdef readonly object phrases
    cdef readonly object scanner
    cdef object _spelled

    @cython.locals(place=Py_ssize_t, word=str, stem=str)
    cpdef list hits(self, list words, int flags)

    cpdef list allowed(self)

    cpdef list named(self, list found)


cdef class Line:
    cdef readonly str text
    cdef readonly list spans
    cdef readonly list words
    cdef list _searches
    cdef dict _allowed

    cpdef str text_of(self, Py_ssize_t begin, Py_ssize_t behind)

    @cython.locals(end=Py_ssize_t)
    cpdef Py_ssize_t end_of(self, Py_ssize_t behind) except -1

    cpdef bint is_split(self, Py_ssize_t place) except -1

    @cython.locals(ends=Py_ssize_t, place=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t)
    cpdef bint has_sentences(self, Py_ssize_t begin, Py_ssize_t behind) except -1

    @cython.locals(begins=list, reaches=list, hits=list, size=Py_ssize_t)
    cpdef tuple allowed(self, str rule)

    @cython.locals(allowed=tuple, last=Py_ssize_t)
    cpdef bint exempts(self, str rule, Py_ssize_t begin, Py_ssize_t behind) except -1

    @cython.locals(allowed=tuple, at=Py_ssize_t, reach=Py_ssize_t)
    cpdef bint covers(self, str rule, Py_ssize_t end) except -1


cdef class Rules:
    cdef object _phrases
    cdef list _searches
    cdef public Py_ssize_t phrases
    cdef int _always
    cdef public Py_ssize_t line_max_ns
    cdef public Py_ssize_t patterns_max_ns
    cdef public Py_ssize_t unread
    cdef Py_ssize_t _begun
    cdef bint _is_late
    cdef dict _single
    cdef list _patterns
    cdef list _numbers

    cpdef list find(self, str text)

    @cython.locals(folded=str, flags=int, found=dict)
    cpdef tuple find_and_fold(self, str text)

    @cython.locals(flags=int, search=Search)
    cdef int _scan(self, str text) except -1

    @cython.locals(found=dict, beginning=str, first=bint, flags=int)
    cdef tuple _find_in_pieces(self, str text)

    @cython.locals(text=str, begin=Py_ssize_t, behind=Py_ssize_t, rule=str, sign=str, judged=dict, line=Line, search=Search, hits=list,
                   digits=Py_ssize_t, least=Py_ssize_t)
    cdef object _look(self, piece_t piece, int flags, bint first, dict found)

    cdef bint _is_costly(self) except -1

    cdef object _add_match(self, str rule, object span, piece_t piece, Line line, dict found)

    @cython.locals(rule=str, words=list, name=str, text=str)
    cdef object _judge(self, Line line, object end, Py_ssize_t begin, Py_ssize_t behind, dict found)

    @cython.locals(at=Py_ssize_t)
    cdef bint _is_doubtful(self, Line line, str rule, Py_ssize_t begin, Py_ssize_t behind) except -1

    @cython.locals(place=Py_ssize_t)
    cdef bint _has_other_subject(self, list words, Py_ssize_t begin) except -1

    @cython.locals(first=tuple)
    cdef bint _is_single(self, Line line, str rule, Py_ssize_t begin, Py_ssize_t behind) except -1

    @cython.locals(place=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t)
    cdef bint _is_age(self, Line line, Py_ssize_t begin, Py_ssize_t behind) except -1

    @cython.locals(stated=set)
    cdef Py_ssize_t _age(self, list words) except -1


cpdef bint words_are_digits(str word) except -1


@cython.locals(sure=set)
cpdef list without_hints(dict found)
