from engine.conduct.age_answers cimport AgeAnswers
from engine.conduct.friction_points cimport Friction
from engine.core.chat cimport Seat
from engine.core.ended_seats cimport EndedChats
from engine.matching.interest_numbers cimport Vocabulary
from engine.core.engine_histograms cimport EngineHistograms
from engine.conduct.video_pauses cimport VideoPauses
from engine.wire.rule_constants cimport Settings
from engine.matching.recent_partners cimport RecentPartners
from engine.core.session cimport Session
from engine.core.interest_quota cimport InterestLimits
from ext.match.due_heap cimport DueHeap

cdef double _PAST_FOR

cdef class EngineState:
    cdef public object out, post, rings, outside, send
    cdef public DueHeap deadlines
    cdef public AgeAnswers ages
    cdef public object daily
    cdef public object openers
    cdef public VideoPauses pauses
    cdef public Settings settings
    cdef public bint keeps, closed
    cdef public RecentPartners recents
    cdef public Friction friction
    cdef public InterestLimits words
    cdef public Vocabulary vocabulary
    cdef public dict sessions, aliases, talking, people
    cdef public EndedChats lately
    cdef public int here
    cdef public EngineHistograms measures
    cdef public dict tally
    cpdef int detected(self, Session session, str name, str chat, double now) except -1
    cpdef tuple earlier(self, Session session, str name, str chat, double now)
    cpdef connected(self, Session session)
    cpdef disconnected(self, Session session)
    cpdef count(self, str what)
    cpdef remember(self, Session session, Seat past)
    cpdef forget_past(self, Session session, double now)
    cpdef refuse(self, Session session, code, of=*, id=*, retry_after=*, field=*)
    cpdef close(self, conn, code, retry_after=*)
    cpdef leave(self, dict record, person, double now, bint keep)
    cpdef enter(self, person, dict record, double now)
    cpdef Session by_key(self, key)
