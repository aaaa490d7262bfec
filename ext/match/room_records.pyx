"""Write and read the binary records that the processes of one host exchange about their waiting room: tickets, steps, meetings and their ends.

A record is a packed C structure that begins with its kind, and the numbers and texts whose sizes it names. Both ends are of one release and one
machine. Times are seconds.
**Invariant:** a value that a field cannot hold raises OverflowError, TypeError or ValueError and writes nothing; a record that is cut raises
ValueError and is never read beyond.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcpy

cdef enum:
    FIRST = 512  # bytes that a writer begins with
    NO_TEXT = 0xFFFF  # size of an absent text
    NUMBERS_MAX = 512  # of one ticket, or of those who are seated


cdef inline uint8_t *put(uint8_t *at, const void *data, Py_ssize_t size) noexcept:
    memcpy(at, data, <size_t>size)
    return at + size


cdef int flatten(who, int width, uint64_t *numbers) except -1:
    """Write the numbers of members, `width` each; return how many members there are."""
    cdef int count = 0
    for member in who:
        if (count + 1) * width > NUMBERS_MAX or len(member) != width:
            raise ValueError("members that fit no record")
        for number in member:
            numbers[0] = number
            numbers += 1
        count += 1
    if count > 255:
        raise ValueError("members that fit no record")
    return count


cdef uint16_t size_of(bytes text) except? 0xFFFE:
    if text is None or PyBytes_GET_SIZE(text) >= NO_TEXT:
        raise ValueError("a text that fits no record")
    return <uint16_t>PyBytes_GET_SIZE(text)


cdef class RecordWriter:
    """Records that are written one after another; `take` returns them."""

    def __dealloc__(self):
        free(self._data)

    cdef uint8_t *_more(self, Py_ssize_t count) except NULL:
        """Return where the next `count` bytes are written; the caller writes all of them."""
        cdef Py_ssize_t room = self._room if self._room else FIRST
        cdef uint8_t *data
        if self._size + count > self._room:
            while room < self._size + count:
                room *= 2
            data = <uint8_t *>realloc(self._data, <size_t>room)
            if data == NULL:
                raise MemoryError
            self._data, self._room = data, room
        data = self._data + self._size
        self._size += count
        return data

    cpdef other(self, bytes text):
        """Write a record without a layout, in place of a meeting that was begun; `text` is not None."""
        cdef other_t head
        self._members, self._goes = 0, False
        head.kind, head.size = OTHER, <uint32_t>PyBytes_GET_SIZE(text)
        put(put(self._more(sizeof(head) + PyBytes_GET_SIZE(text)), &head, sizeof(head)), PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))

    cpdef ticket(self, uint8_t status, bint strict, uint8_t level, uint16_t fallen, uint8_t further, recent, barred, bytes pools, bytes words,
                 uint64_t client, uint64_t number, uint64_t person, double age, double step):
        """Write a ticket. `recent`, `barred`: persons; `pools`: texts of its pool and of `further` ones."""
        cdef ticket_t head
        cdef uint64_t[NUMBERS_MAX] numbers
        cdef uint8_t *at
        cdef Py_ssize_t count = 0
        head.kind, head.status, head.strict, head.level, head.fallen, head.further = TICKET, status, strict, level, fallen, further
        if len(recent) > 255 or len(barred) > NUMBERS_MAX - 256:
            raise ValueError("persons that fit no record")
        for person_avoided in recent:
            numbers[count] = person_avoided
            count += 1
        head.recents = <uint8_t>count
        for person_avoided in barred:
            numbers[count] = person_avoided
            count += 1
        head.barreds = <uint16_t>(count - head.recents)
        head.pools_size, head.words_size = size_of(pools), size_of(words)
        head.client, head.number, head.person, head.age, head.step = client, number, person, age, step
        at = self._more(sizeof(head) + 8 * count + head.pools_size + head.words_size)
        at = put(put(at, &head, sizeof(head)), numbers, 8 * count)
        put(put(at, PyBytes_AS_STRING(pools), head.pools_size), PyBytes_AS_STRING(words), head.words_size)

    cpdef step(self, uint64_t client, uint64_t number, uint8_t level, uint16_t fallen, uint8_t accepts, bint others, double step,
               double widens):
        """Write a step of a ticket."""
        cdef step_t head
        head.kind, head.level, head.fallen, head.accepts, head.others = STEP, level, fallen, accepts, others
        head.client, head.number, head.step, head.widens = client, number, step, widens
        put(self._more(sizeof(head)), &head, sizeof(head))

    cpdef member(self, uint64_t client, uint64_t number, uint64_t worker):
        """Add a member to the meeting that `meet` writes next."""
        cdef uint64_t *at = &self._meeting[3 * self._members]
        if self._members == MEMBERS_MAX:
            raise ValueError("members that fit no record")
        at[0], at[1], at[2] = client, number, worker
        self._members += 1

    cpdef go(self, uint64_t client, uint64_t worker):
        """Let the meeting that `meet` writes next be one for which a client is to go to a worker."""
        self._go.kind, self._go.client, self._go.worker = GO, client, worker
        self._goes = True

    cpdef meet(self, uint64_t id, uint8_t rule, bint spies, bytes words, bytes question, double first, double second, double weight):
        """Write a meeting of the members that were added since the last record. They are forgotten also if this raises."""
        cdef meet_t head
        cdef uint8_t members = self._members
        cdef Py_ssize_t going = sizeof(go_t) if self._goes else 0
        cdef Py_ssize_t asked
        cdef uint8_t *at
        self._members, self._goes = 0, False
        asked = 0 if question is None else size_of(question)
        head.kind, head.members, head.rule, head.spies = MEET, members, rule, spies
        head.words_size, head.question_size = size_of(words), NO_TEXT if question is None else <uint16_t>asked
        head.id, head.first, head.second, head.weight = id, first, second, weight
        at = put(self._more(going + sizeof(head) + 24 * members + head.words_size + asked), &self._go, going)
        at = put(put(put(at, &head, sizeof(head)), self._meeting, 24 * members), PyBytes_AS_STRING(words), head.words_size)
        if question is not None:
            put(at, PyBytes_AS_STRING(question), asked)

    cpdef done(self, uint64_t id, who):
        """Write that a match is seated. `who`: client and person of each member."""
        cdef done_t head
        cdef uint64_t[NUMBERS_MAX] numbers
        head.kind, head.members, head.id = DONE, <uint8_t>flatten(who, 2, numbers), id
        put(put(self._more(sizeof(head) + 16 * head.members), &head, sizeof(head)), numbers, 16 * head.members)

    cpdef bytes take(self):
        """Return all records, and begin anew."""
        cdef bytes found = PyBytes_FromStringAndSize(<char *>self._data, self._size) if self._size else b""
        self._size = 0
        return found


cdef class RecordReader:
    """Records of one message, read one after another: the fields are those of the record that `next` has read."""

    def __cinit__(self, bytes data not None):
        self._bytes = data
        self._question_size = NO_TEXT
        self._data = <const uint8_t *>PyBytes_AS_STRING(data)
        self._size = PyBytes_GET_SIZE(data)

    cdef int _head(self, void *head, Py_ssize_t size) except -1:
        if size > self._size - self._at:
            raise ValueError("a cut record")
        memcpy(head, self._data + self._at, <size_t>size)
        self._at += size
        return 0

    cdef int _end(self, Py_ssize_t count) except -1:
        """End the record after `count` more bytes."""
        self._tail = self._at
        if count > self._size - self._at:
            raise ValueError("a cut record")
        self._at += count
        return 0

    cpdef bint next(self) except -1:
        """Read the next record; False after the last."""
        cdef other_t other
        cdef ticket_t ticket
        cdef step_t step
        cdef go_t go
        cdef done_t done
        cdef uint8_t kind
        if self._at >= self._size:
            return False
        kind = self._data[self._at]
        self.count = self._recents = self._barreds = self._pools_size = self._words_size = 0
        self._question_size = NO_TEXT
        self.is_ticket, self.is_step, self.is_meeting, self.is_going, self.is_done = (
            kind == TICKET, kind == STEP, kind == MEET, kind == GO, kind == DONE)
        if kind == TICKET:
            self._head(&ticket, sizeof(ticket))
            self.status, self.strict, self.level, self.fallen = ticket.status, ticket.strict != 0, ticket.level, ticket.fallen
            self.further, self.client, self.number, self.person = ticket.further, ticket.client, ticket.number, ticket.person
            self.age, self.step = ticket.age, ticket.step
            self._end(8 * (<Py_ssize_t>ticket.recents + ticket.barreds) + ticket.pools_size + ticket.words_size)
            self._recents, self._barreds = ticket.recents, ticket.barreds
            self._pools_size, self._words_size = ticket.pools_size, ticket.words_size
        elif kind == STEP:
            self._head(&step, sizeof(step))
            self.level, self.fallen, self.accepts, self.others = step.level, step.fallen, step.accepts, step.others != 0
            self.client, self.number, self.step, self.widens = step.client, step.number, step.step, step.widens
        elif kind == MEET:
            self._meeting()
        elif kind == GO:
            self._head(&go, sizeof(go))
            self.client, self.worker = go.client, go.worker
            self._meeting()
        elif kind == DONE:
            self._head(&done, sizeof(done))
            self._end(16 * <Py_ssize_t>done.members)
            self.id, self.count = done.id, done.members
        elif kind == OTHER:
            self._head(&other, sizeof(other))
            self._end(other.size)
        else:
            raise ValueError(f"a record of kind {kind}")
        return True

    cdef int _meeting(self) except -1:
        cdef meet_t meet
        self._head(&meet, sizeof(meet))
        if meet.kind != MEET:
            raise ValueError("no meeting")
        self._end(24 * <Py_ssize_t>meet.members + meet.words_size + (0 if meet.question_size == NO_TEXT else meet.question_size))
        self.count, self.rule, self.spies, self.id = meet.members, meet.rule, meet.spies != 0, meet.id
        self.first, self.second, self.weight = meet.first, meet.second, meet.weight
        self._words_size, self._question_size = meet.words_size, meet.question_size
        return 0

    cdef tuple _numbers(self, Py_ssize_t at, uint32_t count):
        cdef uint64_t number
        cdef list found = []
        cdef uint32_t i
        for i in range(count):
            memcpy(&number, self._data + at + 8 * i, 8)
            found.append(number)
        return tuple(found)

    cpdef tuple recent(self):
        """Return the recent partners of a ticket."""
        return self._numbers(self._tail, self._recents) if self._recents else ()

    cpdef tuple barred(self):
        """Return the barred persons of a ticket."""
        return self._numbers(self._tail + 8 * <Py_ssize_t>self._recents, self._barreds) if self._barreds else ()

    cpdef bytes pools(self):
        """Return the texts of the pools of a ticket."""
        cdef Py_ssize_t at = self._tail + 8 * (<Py_ssize_t>self._recents + self._barreds)
        return PyBytes_FromStringAndSize(<const char *>self._data + at, self._pools_size)

    cpdef list words(self):
        """Return the words of a ticket or a meeting. Raises UnicodeDecodeError."""
        cdef list found = []
        cdef const char *at
        cdef const char *end
        cdef const char *line
        if not self._words_size:
            return found
        at = <const char *>self._data + self._tail + 8 * (<Py_ssize_t>self._recents + self._barreds) + self._pools_size
        at += 24 * <Py_ssize_t>self.count
        end = at + self._words_size
        while True:
            line = <const char *>memchr(at, b"\n", <size_t>(end - at))
            if line == NULL:
                line = end
            found.append(PyUnicode_DecodeUTF8(at, line - at, NULL))
            if line == end:
                return found
            at = line + 1

    cpdef bytes text(self):
        """Return a record without a layout."""
        return self._bytes[self._tail:self._at]

    cpdef list members(self, int width):
        """Return the members of a meeting (`width` 3: client, number, worker), or of a match that is seated (2: client, person)."""
        cdef uint64_t[3] numbers
        cdef uint32_t i
        cdef list found = []
        if not 1 <= width <= 3 or 8 * width * <Py_ssize_t>self.count > self._at - self._tail:
            raise ValueError("no such members")
        for i in range(self.count):
            memcpy(numbers, self._data + self._tail + 8 * width * <Py_ssize_t>i, <size_t>(8 * width))
            found.append([numbers[0], numbers[1], numbers[2]] if width == 3 else [numbers[0], numbers[1]])
        return found

    cpdef uint64_t member(self, uint32_t place, int field) except? 0:
        """Return a number of a member of a match that is seated: 0: the client, 1: the person. Raises IndexError."""
        cdef uint64_t number
        if not self.is_done or place >= self.count or not 0 <= field <= 1:
            raise IndexError("there is no such member")
        memcpy(&number, self._data + self._tail + 16 * <Py_ssize_t>place + 8 * field, 8)
        return number

    cpdef str question(self):
        """Return the question of a meeting, None: it has none. Raises UnicodeDecodeError."""
        if self._question_size == NO_TEXT:
            return None
        return PyUnicode_DecodeUTF8(<const char *>self._data + self._at - self._question_size, self._question_size, NULL)
