from engine.conduct.age_answers cimport Ages
from engine.conduct.friction cimport Friction
from engine.core.ended_chats cimport Lately
from engine.matching.vocabulary cimport Vocabulary
from engine.core.wait_histograms cimport Measures
from engine.conduct.video_pauses cimport Pauses
from engine.wire.rule_numbers cimport Settings
from engine.matching.recent_partners cimport Recents
from engine.core.session cimport Session
from engine.core.interest_limits cimport Words

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
