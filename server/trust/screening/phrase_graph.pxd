# What is done for each word of a rule.
cimport cython


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


cdef class Vocabulary:
    cdef public dict words
    cdef public dict ages
    cdef public set openers
    cdef public set closers
    cdef public set others
    cdef public set links

    @cython.locals(tokens=tuple)
    cpdef object add(self, str word, str token)

    cpdef object add_phrase(self, tuple items)

    cpdef object name_age(self, str word, int age)
