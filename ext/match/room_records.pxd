from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    OTHER = 0
    TICKET = 1
    STEP = 2
    MEET = 3
    GO = 4
    DONE = 5
    MEMBERS_MAX = 8  # of a meeting that is written

cdef packed struct other_t:
    uint8_t kind
    uint32_t size

cdef packed struct ticket_t:
    uint8_t kind, status, strict, level
    uint16_t fallen
    uint8_t further, recents
    uint16_t barreds, pools_size, words_size
    uint64_t client, number, person
    double age, step

cdef packed struct step_t:
    uint8_t kind, level
    uint16_t fallen
    uint8_t accepts, others
    uint64_t client, number
    double step, widens

cdef packed struct meet_t:
    uint8_t kind, members, rule, spies
    uint16_t words_size, question_size
    uint64_t id
    double first, second, weight

cdef packed struct go_t:
    uint8_t kind
    uint64_t client, worker

cdef packed struct done_t:
    uint8_t kind, members
    uint64_t id


cdef class RecordWriter:
    cdef uint8_t *_data
    cdef Py_ssize_t _size, _room
    cdef uint64_t[MEMBERS_MAX * 3] _meeting
    cdef uint8_t _members
    cdef bint _goes
    cdef go_t _go

    cdef uint8_t *_more(self, Py_ssize_t count) except NULL
    cpdef other(self, bytes text)
    cpdef ticket(self, uint8_t status, bint strict, uint8_t level, uint16_t fallen, uint8_t further, recent, barred, bytes pools, bytes words,
                 uint64_t client, uint64_t number, uint64_t person, double age, double step)
    cpdef step(self, uint64_t client, uint64_t number, uint8_t level, uint16_t fallen, uint8_t accepts, bint others, double step,
               double widens)
    cpdef member(self, uint64_t client, uint64_t number, uint64_t worker)
    cpdef go(self, uint64_t client, uint64_t worker)
    cpdef meet(self, uint64_t id, uint8_t rule, bint spies, bytes words, bytes question, double first, double second, double weight)
    cpdef done(self, uint64_t id, who)
    cpdef bytes take(self)


cdef class RecordReader:
    cdef bytes _bytes
    cdef const uint8_t *_data
    cdef Py_ssize_t _size, _at, _tail
    cdef readonly uint64_t client, number, person, id, worker
    cdef readonly double age, step, widens, first, second, weight
    cdef readonly int status, level, fallen, further, accepts, rule
    cdef readonly uint32_t count
    cdef readonly bint strict, others, spies, is_ticket, is_step, is_meeting, is_going, is_done
    cdef uint32_t _recents, _barreds, _pools_size, _words_size, _question_size

    cdef int _head(self, void *head, Py_ssize_t size) except -1
    cdef int _end(self, Py_ssize_t count) except -1
    cdef int _meeting(self) except -1
    cdef tuple _numbers(self, Py_ssize_t at, uint32_t count)
    cpdef bint next(self) except -1
    cpdef tuple recent(self)
    cpdef tuple barred(self)
    cpdef bytes pools(self)
    cpdef list words(self)
    cpdef bytes text(self)
    cpdef list members(self, int width)
    cpdef uint64_t member(self, uint32_t place, int field) except? 0
    cpdef str question(self)
