"""Remember the excluded partners of each person for a limited time: a table in C of at most `partners` of each of at most `persons`.

Persons and partners are 64-bit ids; times are seconds, as arguments. If there are too many, what was added the longest ago is dropped first.
**Invariant:** each new person also checks the two oldest, so an idle table shrinks and no call is slow.
"""

from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memmove

from ext.base.id_map cimport ids_add, ids_find, ids_init, ids_remove

cdef enum:
    PARTNERS_MAX = 255


cdef int place_of(const person_t *one, uint64_t partner) noexcept:
    """Return the place of a partner; -1: it is not there."""
    cdef uint32_t i
    for i in range(one.count):
        if one.partners[i].partner == partner:
            return <int>i
    return -1


cdef void take_out(person_t *one, uint32_t place, uint32_t count) noexcept:
    """Remove `count` partners from a place on."""
    one.count -= count
    memmove(&one.partners[place], &one.partners[place + count], (one.count - place) * sizeof(partner_t))


cdef class PartnerTable:
    """Excluded partners. Persons are in order of their first note or last check, the partners of each as they were noted."""

    def __cinit__(self, double seconds, int partners, Py_ssize_t persons):
        if not 1 <= partners <= PARTNERS_MAX or persons < 1:
            raise ValueError("a table has room for one person, and from 1 to 255 partners of each")
        self._seconds, self._partners, self._persons = seconds, <uint32_t>partners, <size_t>persons
        ids_init(&self._ids)

    def __dealloc__(self):
        cdef person_t *one = self._oldest
        cdef person_t *next
        while one != NULL:
            next = one.newer
            free(one)
            one = next
        free(self._ids.slots)

    def __len__(self) -> int:
        """Number of persons."""
        return self._ids.count

    cpdef note(self, uint64_t person, uint64_t partner, double now):
        """Exclude a partner for a person from now on."""
        cdef person_t *one = self._found(person, now)
        cdef int place = place_of(one, partner)
        if place >= 0:
            take_out(one, <uint32_t>place, 1)
        elif one.count == self._partners:
            take_out(one, 0, 1)
        one.partners[one.count] = partner_t(partner, now + self._seconds)
        one.count += 1

    cpdef tuple of(self, uint64_t person, double now):
        """Return the excluded partners of a person, earliest first."""
        cdef person_t *one = self._find(person)
        cdef uint32_t over = 0, i
        cdef tuple partners
        cdef object partner
        if one == NULL or not one.count:
            return ()
        while over < one.count and one.partners[over].until <= now:
            over += 1
        if over:
            take_out(one, 0, over)
        partners = PyTuple_New(one.count)
        for i in range(one.count):
            partner = one.partners[i].partner
            Py_INCREF(partner)
            PyTuple_SET_ITEM(partners, i, partner)
        return partners

    cpdef lift(self, uint64_t person, uint64_t partner):
        """Allow a partner for a person again."""
        cdef person_t *one = self._find(person)
        cdef int place = -1 if one == NULL else place_of(one, partner)
        if place >= 0:
            take_out(one, <uint32_t>place, 1)
            if not one.count:
                self._delete(one)

    cpdef forget(self, uint64_t person):
        """Delete the entry of a person that no one can be again."""
        cdef person_t *one = self._find(person)
        if one != NULL:
            self._delete(one)

    cpdef list leave(self, uint64_t person, double now, bint keep):
        """Export the excluded partners of a migrating person with the seconds left; the entry is deleted here unless `keep`."""
        cdef person_t *one = self._find(person)
        cdef list found = []
        cdef uint32_t i
        if one != NULL:
            for i in range(one.count):
                if one.partners[i].until > now:
                    found.append((one.partners[i].partner, one.partners[i].until - now))
            if not keep:
                self._delete(one)
        return found

    cpdef enter(self, uint64_t person, partners, double now):
        """Import what `leave` exported, besides the entry here: the longer exclusion wins, and of too many those with the most seconds left."""
        cdef person_t *one
        cdef partner_t new
        cdef uint32_t at
        cdef int place
        for partner, seconds in partners:
            new = partner_t(partner, now + <double>seconds)
            one = self._found(person, now)
            place = place_of(one, new.partner)
            if place >= 0:
                new.until = max(new.until, one.partners[place].until)
                take_out(one, <uint32_t>place, 1)
            elif one.count == self._partners:
                if one.partners[0].until > new.until:
                    continue
                take_out(one, 0, 1)
            at = one.count
            while at and one.partners[at - 1].until > new.until:
                at -= 1
            memmove(&one.partners[at + 1], &one.partners[at], (one.count - at) * sizeof(partner_t))
            one.partners[at] = new
            one.count += 1

    def rest(self, double now):
        """Yield all persons, the oldest first, with their excluded partners and the seconds left."""
        for person in self._in_order():
            partners = self.leave(person, now, True)
            if partners:
                yield person, partners

    cdef list _in_order(self):
        """Return all persons, the oldest first: in the order of their slots a table of the same factor would be filled in clusters."""
        cdef list persons = []
        cdef person_t *one = self._oldest
        while one != NULL:
            persons.append(one.person)
            one = one.newer
        return persons

    cdef person_t *_find(self, uint64_t person) noexcept:
        return <person_t *>ids_find(&self._ids, person).value

    cdef person_t *_found(self, uint64_t person, double now) except NULL:
        """Return the entry of a person, a new one if it has none."""
        cdef person_t *one = self._find(person)
        if one != NULL:
            return one
        self._sweep(now)
        one = <person_t *>malloc(sizeof(person_t) + (self._partners - 1) * sizeof(partner_t))
        if one == NULL:
            raise MemoryError()
        one.person, one.count = person, 0
        try:
            ids_add(&self._ids, ids_find(&self._ids, person), person, one)
        except MemoryError:
            free(one)
            raise
        self._link(one)
        return one

    cdef void _link(self, person_t *one) noexcept:
        """Make a person the newest."""
        one.older, one.newer = self._newest, NULL
        if self._newest != NULL:
            self._newest.newer = one
        else:
            self._oldest = one
        self._newest = one

    cdef void _unlink(self, person_t *one) noexcept:
        if one.older != NULL:
            one.older.newer = one.newer
        else:
            self._oldest = one.newer
        if one.newer != NULL:
            one.newer.older = one.older
        else:
            self._newest = one.older

    cdef void _delete(self, person_t *one) noexcept:
        self._unlink(one)
        ids_remove(&self._ids, ids_find(&self._ids, one.person))
        free(one)

    cdef void _sweep(self, double now) noexcept:
        """Check the two oldest persons, before another is added: delete those without partners, and the oldest of too many."""
        cdef person_t *one
        for _ in range(2):
            one = self._oldest
            if one == NULL:
                return
            if one.count and one.partners[one.count - 1].until > now and self._ids.count < self._persons:
                if one.count == 1:
                    return  # noted once, and not long enough ago
                self._unlink(one)  # noted again since, so not the oldest any more
                self._link(one)
            else:
                self._delete(one)
