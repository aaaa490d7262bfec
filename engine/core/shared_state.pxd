from engine.ages cimport Ages
from engine.friction cimport Friction
from engine.lately cimport Lately
from engine.matching.vocabulary cimport Vocabulary
from engine.measures cimport Measures
from engine.pauses cimport Pauses
from engine.policy cimport Settings
from engine.recents cimport Recents
from engine.session cimport Session
from engine.words cimport Words

cdef class Core:
    cdef public object out, post, rings, outside
    cdef public Ages ages
    cdef public Pauses pauses
    cdef public Settings settings
    cdef public bint keeps
    cdef public Recents recents
    cdef public Friction friction
    cdef public Words words
    cdef public Vocabulary vocabulary
    cdef public dict sessions, aliases, talking
    cdef public Lately lately
    cdef public int here
    cdef public Measures measures
    cdef public dict tally
    cpdef count(self, str what)
    cpdef refuse(self, Session session, code, of=*, id=*, retry_after=*, field=*)
    cpdef close(self, conn, code, retry_after=*)
    cpdef leave(self, dict record, person, double now, bint keep)
    cpdef enter(self, person, dict record, double now)
    cpdef Session by_key(self, key)
