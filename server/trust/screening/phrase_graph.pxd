# What is done for each word of a line.
cimport cython


cdef class Entry:
    cdef public tuple tokens
    cdef public tuple first

    @cython.locals(made=Entry, node=Node)
    cpdef Entry joined(self, Entry other)


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

    @cython.locals(place=Py_ssize_t)
    cpdef object find(self, list entries, list found)

    @cython.locals(entry=Entry, token=str, nodes=tuple)
    cpdef object find_at(self, list entries, Py_ssize_t place, list found)


cdef class Vocabulary:
    cdef public dict words
    cdef public dict ages
    cdef public set openers
    cdef public set closers

    @cython.locals(entry=Entry, known=Entry)
    cpdef object add(self, str word, str token)

    cpdef object add_phrase(self, tuple items)

    cpdef object name_age(self, str word, int age)

    @cython.locals(known=dict, found=list, word=str, forms=tuple, form=str, entry=Entry, other=Entry)
    cpdef list entries_of(self, list words, dict readings)


@cython.locals(place=Py_ssize_t, entry=Entry)
cpdef object find_from_first(list entries, list found)


@cython.locals(size=Py_ssize_t, at=Py_ssize_t, ends=list, following=list, entry=Entry, node=Node, child=Node, token=str, children=tuple)
cdef object walk_from(tuple nodes, list entries, Py_ssize_t place, list found)
