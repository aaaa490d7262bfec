"""Read a tap, and settle without Python the lines in which screening would find nothing: no phrase, sign, class of the model, or similar beginning.

**Invariant:** exact in one direction: a line that is settled here is one in which the rules, the model and the table of similar lines find nothing.
All others are returned, in their order. Nothing of a line is kept but in the scratch memory, which the next line overwrites.
"""

# A line is folded by a table: for each character of the basic plane what it becomes by itself, 0 if that depends on its neighbours or is unknown.
# Then one pass tests the plain lines of ASCII (`PhraseScanner.look_plainly`), and the scanner itself the others.

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset, strlen

from ext.net.similarity cimport SHINGLE, sketch_t
from ext.net.tap cimport tap_done, tap_next
from ext.text.phrase_scanner cimport AT_FLAG, DIGIT_FLAG, DOT_FLAG, HIT_FLAG, NUMBERED, PLUS_FLAG, SPELLED_FLAG

cdef extern from "Python.h":
    bint Py_UNICODE_ISALNUM(Py_UCS4 char) nogil

cdef enum:
    PLANE = 0x10000  # characters that the table has, and behind them PICTURES more
    PICTURES_BEGIN = 0x1F300
    PICTURES = 0x800
    SKIP = 0xFFFF  # in the table: invisible
    LINE_WORK = 40  # of a line for the model, whatever its length
    WIDE_SHARE = 3  # letters that one outside ASCII becomes in a skeleton, at most
    BYTES_MAX = 1024  # of a line that is settled
    STREETS = 16

ctypedef const char *ending_t

cdef ending_t[STREETS] STREET_ENDINGS = [
    b"strasse", b"str", b"str.", b"gasse", b"allee", b"weg", b"platz", b"veien", b"vegen", b"gate", b"gaten", b"gata", b"gatan", b"svingen",
    b"bakken", b"stien",
]  # of `private_data.find_street`


cdef inline bint is_separator(Py_UCS4 char) noexcept nogil:
    """Whether a sign may be between the digits of one number."""
    return char == 32 or char == c"-" or char == c"/" or char == c"." or char == c"(" or char == c")"


cdef inline bint is_single_letter(const Py_UCS4 *text) noexcept nogil:
    """Whether a text of ASCII, ended by 0, begins with a word of one letter."""
    if not 97 <= text[0] <= 122:
        return False
    return not (97 <= text[1] <= 122 or 48 <= text[1] <= 57 or text[1] == c"_")


FOLDS = PLANE + PICTURES
SKIPPED = SKIP


cdef class FirstLines:
    """Counter of the lines of each writer up to `first`. Writers are forgotten in the order of their last line, when `room` to twice as many others
    have written.
    """

    def __cinit__(self, uint32_t first, Py_ssize_t room):
        cdef uint64_t slots = 2
        if not 0 < room <= 1 << 24 or not 0 < first < 256:
            raise ValueError("room for one writer at least, and one line")
        while slots < 2 * <uint64_t>room:
            slots *= 2
        self.first, self.room, self.mask = first, room, slots - 1
        self.young = <writer_t *>calloc(slots, sizeof(writer_t))
        self.old = <writer_t *>calloc(slots, sizeof(writer_t))
        if self.young == NULL or self.old == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.young)
        free(self.old)

    def __len__(self) -> int:
        """Return the writers of the younger generation."""
        return self.size

    def add(self, uint64_t chat, uint32_t side) -> bool:
        """Count a line of side 0 or 1; return whether it is one of the writer's first."""
        return self.count(chat << 1 | side)

    def clear(self) -> None:
        """Forget all writers."""
        memset(self.young, 0, (self.mask + 1) * sizeof(writer_t))
        memset(self.old, 0, (self.mask + 1) * sizeof(writer_t))
        self.size = 0

    cdef bint count(self, uint64_t key) noexcept nogil:
        cdef writer_t *slot = self._slot(self.young, key)
        cdef uint32_t before
        cdef bint first
        if slot.lines == 0:
            if self.size == self.room:
                self.young, self.old = self.old, self.young
                memset(self.young, 0, (self.mask + 1) * sizeof(writer_t))
                self.size = 0
                slot = self._slot(self.young, key)
            before = self._slot(self.old, key).lines
            slot.key, slot.lines = key, before if before else 1  # one more than the lines, so that it is never 0
            self.size += 1
        first = slot.lines <= self.first
        slot.lines += first
        return first

    cdef writer_t *_slot(self, writer_t *table, uint64_t key) noexcept nogil:
        """Return the slot of a key, an empty one if it has none. A table is at most half full."""
        cdef uint64_t at = (key * <uint64_t>0x9E3779B97F4A7C15) >> 24
        while table[at & self.mask].lines and table[at & self.mask].key != key:
            at += 1
        return table + (at & self.mask)


cdef class LineSieve:
    """Sieve over a tap. `writers`, `table`: of openers, which get each line, here or by the caller; `folds`: of
    `text_folding.fold_table`; `line_max`: characters of a line that is settled; `letters_min`: of a line that `table` compares.
    """

    def __cinit__(
        self, Tapped tapped not None, FirstLines writers not None, Shingles table not None, bytes folds not None, Py_ssize_t line_max,
        Py_ssize_t letters_min,
    ):
        cdef int at
        if len(folds) != sizeof(uint16_t) * (PLANE + PICTURES) or not 0 < line_max <= LINE_MAX or letters_min < SHINGLE:
            raise ValueError("a table of all characters, lines that fit, and letters that can be compared")
        self.tapped, self.writers, self.table, self.folds = tapped, writers, table, folds
        self.folded = <const uint16_t *><const char *>folds
        self.line_max, self.letters_min = line_max, letters_min
        for at in range(32, 127):
            self.lower[at] = at + 32 if 65 <= at <= 90 else at
        self.lower[<int>c"\\"] = 0

    def use(self, PhraseScanner own not None, PhraseScanner added, HashedClassifier model) -> None:
        """Settle lines by these from now on. `added`: of a second index, or None; `model`: None without one."""
        self.own, self.added, self.model = own, added, model
        self.twice, self.modelling, self.on = added is not None, model is not None, True

    def pass_all(self) -> None:
        """Return each line from now on."""
        self.on = False

    def take(self, Py_ssize_t most, Py_ssize_t returned_max, Py_ssize_t model_work, double now, double since) -> list:
        """Read up to `most` lines; return those that are not settled, `returned_max` at most: chat, side, number, Unix time, text as a JSON string
        without its quotes, and whether it is one of the writer's first.

        `model_work`: what the model may read of the settled lines, a unit a character and LINE_WORK a line; the rest of them it does not read.
        `now`, `since`: of `Shingles.put`. `taken`, `settled` and, of these, `modelled` count the lines of this call, `began` is the time of its
        first, and `model_work` what is left. Raises ValueError if the ring is damaged.
        """
        cdef tap_entry_t entry
        cdef const uint8_t *line = NULL
        cdef int there = 0
        cdef bint first
        cdef Py_ssize_t work
        cdef list found = []
        self.taken = self.settled = self.modelled = 0
        self.model_work = model_work
        while self.taken < most and len(found) < returned_max:
            there = tap_next(self.tapped.tap, &entry, &line)
            if there <= 0:
                break
            if self.taken == 0:
                self.began = entry.time
            self.taken += 1
            first = entry.number != 0 and self.writers.count(entry.chat << 1 | entry.side)  # a question is no line of a user
            work = self.model_work
            if self._settles(&entry, line, first, now, since):
                self.settled += 1
                self.modelled += work != self.model_work
            else:
                text = PyBytes_FromStringAndSize(<const char *>line, entry.size)
                found.append((entry.chat, entry.side, entry.number, entry.time, text, first))
            memset(<void *>line, 0, entry.size)  # no text stays in memory after it was read
        tap_done(self.tapped.tap)
        if there < 0:
            raise ValueError("the memory of the tap was not written by a tap")
        return found

    def is_settled(self, bytes line not None) -> bool:
        """Whether a later line of a writer is settled: for tests."""
        cdef tap_entry_t entry
        entry.size = <uint32_t>len(line)
        self.model_work = 1 << 20
        return self._settles(&entry, <const uint8_t *><const char *>line, False, 0.0, 0.0)

    cdef bint _settles(self, const tap_entry_t *entry, const uint8_t *line, bint first, double now, double since) noexcept nogil:
        cdef sketch_t made
        cdef bint ascii = True
        cdef int compared = 0
        cdef Py_ssize_t length
        if not self.on:
            return False
        length = self._fold(line, entry.size, &ascii)
        if length < 0 or not self._is_clean(self.own, length, ascii) or (self.twice and not self._is_clean(self.added, length, ascii)):
            return False
        if first:
            compared = self._sketch(length, ascii, &made)  # the model reads while the table comes from memory
            if compared < 0:
                return False
        if self.modelling and self.model_work >= LINE_WORK + length:
            self.model_work -= LINE_WORK + length
            if self.model.finds(self.text, length):
                return False
        return compared == 0 or self.table.add_new(&made, entry.chat, entry.side, now, since)

    cdef bint _is_clean(self, PhraseScanner scanner, Py_ssize_t length, bint ascii) noexcept nogil:
        """Whether nothing is seen in the folded line by which a rule could match."""
        cdef Py_ssize_t at
        cdef int seen = scanner.look_plainly(self.text) if ascii else 0
        if seen:
            return not seen & HIT_FLAG and (not seen & NUMBERED or self._has_small_numbers())
        for at in range(length):
            scanner.text[at] = self.text[at]
        return not scanner.scan_written(length, ascii) & (HIT_FLAG | DIGIT_FLAG | DOT_FLAG | AT_FLAG | PLUS_FLAG | SPELLED_FLAG)

    cdef bint _has_small_numbers(self) noexcept nogil:
        """Whether no pattern of numbers could match in the plain text: none of a card, document, telephone or house (`private_data`).

        In a plain text each number is a word, no sign joins it to a letter, and `+` and a dot before a digit do not occur.
        """
        cdef Py_ssize_t at = 0, begin
        cdef Py_UCS4 before, behind
        while self.text[at]:
            if 48 <= self.text[at] <= 57:
                begin = at
                while 48 <= self.text[at] <= 57:
                    at += 1
                before, behind = self.text[begin - 1] if begin else 0, self.text[at]
                if begin > 1 and before == 32 and self._ends_street(begin - 1):
                    return False
                if before == c"(" or self._begins_long(begin, at):
                    return False
                if 7 <= at - begin <= 8 and (behind == 32 or behind == c"-") and is_single_letter(&self.text[at + 1]):
                    return False
            else:
                at += 1
        return True

    cdef bint _begins_long(self, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
        """Whether a number at a place may be the first group of digits of a card, a document or a telephone."""
        cdef Py_ssize_t digits = end - begin, size = digits, at = end, groups = 1, gap
        cdef Py_UCS4 first = self.text[begin], second = self.text[begin + 1]
        cdef bint document = digits == 9
        while True:
            gap = 0
            while gap < 2 and is_separator(self.text[at + gap]):
                gap += 1
            if not 48 <= self.text[at + gap] <= 57:
                break
            at += gap
            while 48 <= self.text[at] <= 57:
                at += 1
                digits += 1
            groups += 1
            document = document or digits == 9 or digits == 11 or digits == 15
        if document or size == 11 or size == 15:  # as many digits as a document's number has: of a social security number groups are needed
            return True
        if first == c"0" and second == c"0" and 49 <= self.text[begin + 2] <= 57:  # the code of a country
            return True
        if size == 3 and groups > 1:
            return True
        if first == c"0":
            return digits >= 8 and ((size > 1 and 49 <= second <= 57) or size == 2)
        if size == 10 or (first == c"8" and digits >= 11):
            return True
        return 50 <= first <= 54 and digits >= 13

    cdef bint _ends_street(self, Py_ssize_t end) noexcept nogil:
        """Whether a word for a street ends at a place, maybe within a longer word."""
        cdef Py_ssize_t size, back
        cdef int row
        for row in range(STREETS):
            size = strlen(STREET_ENDINGS[row])
            back = 0
            while back < size and end > back and self.text[end - 1 - back] == <Py_UCS4><uint8_t>STREET_ENDINGS[row][size - 1 - back]:
                back += 1
            if back == size:
                return True
        return False

    cdef int _sketch(self, Py_ssize_t length, bint ascii, sketch_t *made) noexcept nogil:
        """Sketch a first line for the table of similar ones; return 0 if it is too short to be compared, -1 if Python has to compare it."""
        cdef uint8_t[LINE_MAX] letters
        cdef Py_ssize_t at, size = 0
        if not ascii:
            for at in range(length):
                if Py_UNICODE_ISALNUM(self.text[at]):
                    size += 1 if self.text[at] < 0x80 else WIDE_SHARE
            return 0 if size < self.letters_min else -1
        for at in range(length):
            letters[size] = <uint8_t>self.text[at]
            size += 97 <= self.text[at] <= 122
        if size < self.letters_min:
            return 0
        self.table.sketch(letters, size, made)
        return 1

    # folding

    cdef Py_ssize_t _fold(self, const uint8_t *line, Py_ssize_t size, bint *ascii) noexcept nogil:
        """Write the folded line into `text`, with a 0 behind it; return its length, -1 if it is too long or has a character that is not folded by
        itself.
        """
        cdef Py_ssize_t at = 0, length = 0
        cdef bint spaced = True
        cdef Py_UCS4 char, last = 0
        if size > BYTES_MAX:
            return -1
        while at < size:
            char = self.lower[line[at]]
            if char:
                at += 1
            else:
                char = self._folded_at(line, size, &at, &spaced)
                if char == SKIP:
                    continue
                if char == 0:
                    return -1
                if char >= 0x80:
                    ascii[0] = False
            if char == 32 and last == 32:
                spaced = False
            if length == self.line_max:
                return -1
            self.text[length] = char
            length += 1
            last = char
        if not spaced:
            length = self._space(length)
        self.text[length] = 0
        return length

    cdef Py_UCS4 _folded_at(self, const uint8_t *line, Py_ssize_t size, Py_ssize_t *at, bint *spaced) noexcept nogil:
        """Return what an escape or a character outside ASCII becomes, and pass it: SKIP if it is invisible, 0 if it is not known."""
        cdef Py_UCS4 char
        cdef uint8_t byte
        if line[at[0]] < 0x80:
            byte = line[at[0] + 1] if line[at[0]] == c"\\" and at[0] + 1 < size else 0
            at[0] += 2
            if byte == c"n" or byte == c"t" or byte == c"r":
                spaced[0] = False
                return 32
            return byte if byte == c"\"" or byte == c"\\" or byte == c"/" else 0
        char = self._decoded(line, size, at)
        if char < PLANE:
            char = self.folded[char]
            return 0 if char == 32 else char
        if char < PICTURES_BEGIN or char >= PICTURES_BEGIN + PICTURES or self.folded[PLANE + <uint32_t>char - PICTURES_BEGIN] == 0:
            return 0
        return char

    cdef Py_ssize_t _space(self, Py_ssize_t length) noexcept nogil:
        """Write one space in place of each row of them, and none at the ends; return the length."""
        cdef Py_ssize_t at, size = 0
        for at in range(length):
            if self.text[at] != 32:
                self.text[size] = self.text[at]
                size += 1
            elif size and self.text[size - 1] != 32:
                self.text[size] = 32
                size += 1
        return size - 1 if size and self.text[size - 1] == 32 else size

    cdef Py_UCS4 _decoded(self, const uint8_t *line, Py_ssize_t size, Py_ssize_t *at) noexcept nogil:
        """Return the character outside ASCII that begins at a place of UTF-8, and pass it; 0 if the bytes are not valid."""
        cdef uint32_t char = line[at[0]]
        cdef int more, _one
        if 0xC2 <= char < 0xE0:
            char, more = char & 0x1F, 1
        elif 0xE0 <= char < 0xF0:
            char, more = char & 0x0F, 2
        elif 0xF0 <= char < 0xF5:
            char, more = char & 0x07, 3
        else:
            return 0
        at[0] += 1
        for _one in range(more):
            if at[0] == size or line[at[0]] & 0xC0 != 0x80:
                return 0
            char = char << 6 | (line[at[0]] & 0x3F)
            at[0] += 1
        return <Py_UCS4>char
