# What is done for each word of a line.
cimport cython

from server.trust.screening.text_folding cimport Piece as piece_t


cdef class Node:
    cdef public dict next
    cdef public tuple others
    cdef public tuple ends
    cdef public dict items

    @cython.locals(places=list, following=list, node=Node)
    cpdef object add(self, tuple items, object end)

    @cython.locals(node=Node)
    cpdef Node behind(self, object item)

    @cython.locals(place=Node)
    cdef object _lead(self, tuple choice, Node target)


cdef class Entry:
    cdef public tuple tokens
    cdef public tuple first


cdef class Line:
    cdef readonly str text
    cdef readonly list spans
    cdef readonly list words
    cdef readonly bint has_signs
    cdef readonly dict readings
    cdef readonly list entries
    cdef Node _phrases
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


@cython.locals(found=list, word=str, forms=tuple, form=str, entry=Entry, other=Entry)
cpdef list entries_of(dict known, list words, dict readings)


@cython.locals(made=Entry, node=Node)
cpdef Entry joined(Entry one, Entry other)


@cython.locals(place=Py_ssize_t, entry=Entry, token=str, nodes=tuple)
cpdef object find_phrases(Node tree, list entries, list found)


@cython.locals(size=Py_ssize_t, at=Py_ssize_t, ends=list, following=list, entry=Entry, node=Node, child=Node, token=str, children=tuple)
cpdef object walk_from(tuple nodes, list entries, Py_ssize_t place, list found)


cdef class Rules:
    cdef object _wanted
    cdef Node _tree
    cdef Node _allowed
    cdef Node _units
    cdef dict _words
    cdef dict _ages
    cdef set _openers
    cdef set _closers
    cdef dict _stems
    cdef dict _names
    cdef public Py_ssize_t phrases
    cdef public Py_ssize_t line_max_ns
    cdef public Py_ssize_t unread
    cdef list _patterns
    cdef list _numbers
    cdef dict _sets_of_all

    cpdef list find(self, str text)

    @cython.locals(found=dict, beginning=str, first=bint)
    cpdef tuple find_and_fold(self, str text)

    @cython.locals(text=str, begin=Py_ssize_t, behind=Py_ssize_t, rule=str, sign=str)
    cdef object _look(self, piece_t piece, Line line, bint first, dict found)

    cdef object _add_match(self, str rule, object span, piece_t piece, Line line, dict found)

    @cython.locals(rule=str, words=list, name=str, text=str)
    cdef object _judge(self, Line line, object end, Py_ssize_t begin, Py_ssize_t behind, dict found)

    @cython.locals(place=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t, units=list, entry=Entry, nodes=tuple)
    cdef bint _is_age(self, Line line, Py_ssize_t begin, Py_ssize_t behind) except -1

    @cython.locals(stated=set)
    cdef Py_ssize_t _age(self, list words) except -1

    @cython.locals(words=list, entries=list, hits=list, place=Py_ssize_t, behind=Py_ssize_t, word=str, stem=str, whole=list, begins=list, readings=dict, spelled=list, entry=Entry)
    cdef list _hits(self, Line line)


cpdef bint words_are_digits(str word) except -1
