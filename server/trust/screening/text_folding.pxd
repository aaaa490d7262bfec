# What is called once a piece and more, and counts characters.
cimport cython


cdef class Piece:
    cdef readonly str text
    cdef readonly bint last
    cdef str _before
    cdef str _behind
    cdef Py_ssize_t _since
    cdef Py_ssize_t _until

    cpdef bint judges(self, Py_ssize_t end) except -1


cpdef str fold_line(str text)


@cython.locals(char=Py_UCS4)
cdef str _folded(str line)
cdef str _spaced(str line)
cpdef list find_words(str line)


@cython.locals(words=list, begin=Py_ssize_t, end=Py_ssize_t, word=str)
cpdef list words_at(str line, list spans)


@cython.locals(found=list, size=Py_ssize_t, at=Py_ssize_t, narrow=Py_ssize_t, begin=Py_ssize_t, number=bint)
cpdef list word_spans(str line)
cpdef bint is_unspaced(Py_UCS4 char) noexcept


@cython.locals(runs=list, begin=Py_ssize_t, at=Py_ssize_t, char=Py_UCS4)
cpdef str letters_of(str text)


@cython.locals(row=Py_ssize_t, at=Py_ssize_t)
cpdef bint has_stretch(str text) except -1


@cython.locals(runs=list, begin=Py_ssize_t, at=Py_ssize_t)
cpdef str shorten_stretches(str word, Py_ssize_t most)
cpdef str without_sign(str word)


@cython.locals(strange=list, readings=dict, word=str, alike=str, bare=str, imitates=bint, stretched=bint, found=list, form=str)
cpdef dict readings_of(object words)


cdef bint _is_strange(str word) except -1


@cython.locals(at=Py_ssize_t)
cdef bint _imitates(str word) except -1


@cython.locals(found=list, ones=Py_ssize_t)
cdef list _spelled(str word)
