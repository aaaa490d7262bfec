"""Find the words and the phrases of a text by an index of phrases, in the scratch memory of one scanner.

**Invariant:** a word costs one look-up for each of its readings, and a walk visits a node once a word. Nothing of a text is kept but in the scratch
memory, which the next text overwrites.
"""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from ext.text.phrase_index cimport (
    ALONE, CHILDREN, CODES, ENDS, FIRST, GRAPHS, KINDS, MAPPED, MAPPED_CHARS, NODES, OTHERS, ROOTS, SAME, WORD_TOKENS, WORDS, PhraseIndex,
    fetch_word, has_pair, hashed_word, key_of, key_t, mapped_t, node_t, word_of, word_t,
)

cdef extern from "Python.h":
    bint Py_UNICODE_ISALNUM(Py_UCS4 char) nogil
    bint Py_UNICODE_ISDECIMAL(Py_UCS4 char) nogil
    bint Py_UNICODE_ISDIGIT(Py_UCS4 char) nogil
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void *data, Py_ssize_t at) nogil
    bint PyUnicode_IS_ASCII(object text)

cdef enum:
    NARROW_MAX = 128  # words of a text, beside those of scripts without spaces
    WORD_MAX = 40  # characters of a word that has readings
    READING_MAX = 512  # characters of a reading
    READINGS_MAX = 16  # of a word
    STRETCH = 3  # of a character in a row: more than any language has
    AMBIGUOUS = 2  # ones of a word that are read as i or l each by itself
    OPEN_MAX = 16  # first words behind which a phrase may go on: more than REACH_MAX
    PLACES_MAX = 64  # words of a plain text

HIT = HIT_FLAG  # flags of a scan: a phrase
DIGIT = DIGIT_FLAG
DOT = DOT_FLAG  # as in an address, or the beginning of one: not a dot that ends a sentence
AT = AT_FLAG
PLUS = PLUS_FLAG
SPELLED = SPELLED_FLAG  # three single letters in a row
SIGNS = SIGNS_FLAG  # words may have readings
WIDE = WIDE_FLAG  # a character outside ASCII


cdef inline bint alnum(Py_UCS4 char) noexcept nogil:
    if char < 0x80:
        return 97 <= char <= 122 or 48 <= char <= 57 or 65 <= char <= 90
    return Py_UNICODE_ISALNUM(char)


cdef inline Py_UCS4 letter_of(Py_UCS4 sign) noexcept nogil:
    """Return the letter that a digit or sign imitates, 0 if it imitates none; `1` is an i or an l."""
    if sign > 64:
        return 0
    if sign == c"0":
        return c"o"
    if sign == c"3":
        return c"e"
    if sign == c"4" or sign == c"@":
        return c"a"
    if sign == c"5" or sign == c"$":
        return c"s"
    if sign == c"7":
        return c"t"
    return c"i" if sign == c"!" else 0


cdef inline bint is_harmless(Py_UCS4 char, Py_UCS4 before, Py_UCS4 behind) noexcept nogil:
    """Whether a character outside words means nothing, by its neighbours (0 at an end). False also for some that mean nothing."""
    if char == c".":
        return behind == 0 or behind == c"." or (behind == c" " and before != c" " and before != c"(" and before != c"[")
    if char == c"!":
        return not (alnum(behind) or behind == c"_")
    if char == c":":
        return behind != c"/"
    return 32 <= char < 127 and not 48 <= char <= 57 and char != c"@" and char != c"$" and char != c"+" and not 65 <= char <= 90


@cython.final
cdef class PhraseScanner:
    """Words and phrases of the text that was scanned last. The index is shared, all else is this scanner's.

    `wanted`: a byte for each number of an end, 0 if it is passed over; None: all are looked for. `words_max`: words of a text that are read, beside
    those of scripts without spaces.
    """

    def __cinit__(self, PhraseIndex index not None, bytes wanted=None, Py_ssize_t words_max=NARROW_MAX):
        cdef size_t nodes = index.rows[NODES] + 1
        if not 0 < words_max <= NARROW_MAX:
            raise ValueError("too many words")
        self.index, self.wanted, self.words_max = index, wanted, words_max
        if wanted is not None:
            self.wanted_ends, self.wanted_size = wanted, len(wanted)
        self.text = <Py_UCS4 *>calloc(TEXT_MAX, sizeof(Py_UCS4))
        self.word = <Py_UCS4 *>calloc(TEXT_MAX, sizeof(Py_UCS4))
        self.begins = <uint32_t *>calloc(TEXT_MAX + 1, sizeof(uint32_t))
        self.reaches = <uint32_t *>calloc(TEXT_MAX, sizeof(uint32_t))
        self.walked = <uint32_t *>calloc(TEXT_MAX + 1, sizeof(uint32_t))
        self.id_begins = <uint32_t *>calloc(TEXT_MAX + 1, sizeof(uint32_t))
        self.ids = <uint32_t *>calloc(TEXT_MAX * READINGS_MAX, sizeof(uint32_t))
        self.frontier = <uint32_t *>calloc(nodes, sizeof(uint32_t))
        self.following = <uint32_t *>calloc(nodes, sizeof(uint32_t))
        self.stamps = <uint32_t *>calloc(nodes, sizeof(uint32_t))
        self.found = <hit_t *>calloc(HITS_MAX, sizeof(hit_t))
        if (
            self.text == NULL or self.word == NULL or self.begins == NULL or self.reaches == NULL or self.walked == NULL
            or self.id_begins == NULL or self.ids == NULL or self.frontier == NULL or self.following == NULL
            or self.stamps == NULL or self.found == NULL
        ):
            raise MemoryError

    def __dealloc__(self):
        free(self.text)
        free(self.word)
        free(self.begins)
        free(self.reaches)
        free(self.walked)
        free(self.id_begins)
        free(self.ids)
        free(self.frontier)
        free(self.following)
        free(self.stamps)
        free(self.found)

    cpdef int scan(self, str text) except -1:
        """Find the phrases of graph 0 in a text; return what was seen (`Flag`). Raises ValueError if it is longer than TEXT_MAX."""
        cdef int kind = PyUnicode_KIND(text)
        cdef void *data = PyUnicode_DATA(text)
        cdef Py_ssize_t at
        self.length = self.size = self.count = 0
        if len(text) > TEXT_MAX:
            raise ValueError("a text is too long")
        for at in range(len(text)):
            self.text[at] = PyUnicode_READ(kind, data, at)
        return self.scan_written(len(text), PyUnicode_IS_ASCII(text))

    cdef int scan_written(self, Py_ssize_t length, bint ascii) noexcept nogil:
        """Do the same with the text that was written into `text`."""
        cdef Py_ssize_t at
        cdef int flags
        self.length = length
        self.size = self.count = 0
        flags = self._look(ascii)
        self.signs = flags & SIGNS_FLAG
        flags |= self._split()
        for at in range(self.size):
            self._read_word(at, self._word_at(at))
        return flags | self._find_first()

    cdef int look_plainly(self, const Py_UCS4 *text) noexcept nogil:
        """Return flags of a folded text of ASCII, ended by 0, in which no sign is one of an address and no word has another reading: SIMPLE, NUMBERED
        if it has digits, HIT if it has a phrase; 0 for any other text.

        Words are known by their hash; a phrase is walked only if a word leads on to another behind it (`has_pair`).
        """
        cdef uint32_t[PLACES_MAX] keys
        cdef Py_ssize_t at = 0, size = 0, row = 0, alone = 0, words = 0
        cdef int found = SIMPLE
        cdef uint32_t key = 2166136261u
        cdef bint number = False
        cdef Py_UCS4 char, last = 0  # `last`: of the word
        while True:
            char = text[at]
            if 97 <= char <= 122:
                row = row + 1 if char == last else 1
                if row == STRETCH or number:
                    return 0
                key = (key ^ <uint32_t>char) * 16777619u
                size += 1
                last = char
            elif 48 <= char <= 57:
                if size and not number:
                    return 0
                number = True
                found |= NUMBERED
                key = (key ^ <uint32_t>char) * 16777619u
                size += 1
            elif char == c"'" and size and alnum(text[at + 1]):
                if number or text[at + 1] <= c"9":
                    return 0
                size += 1  # "i'm" is no single letter; the hash of a word has no apostrophe
            else:
                if size:
                    alone = alone + 1 if size == 1 else 0
                    if alone == SPELLED_ROW or words == PLACES_MAX:
                        return 0
                    keys[words] = key ^ (key >> 15)
                    fetch_word(self.index, keys[words])
                    words += 1
                    key, size, number = 2166136261u, 0, False
                if char == 0:
                    return found | (HIT_FLAG if self._has_phrase(keys, words) else 0)
                row, last = 0, 0
                if char != 32 and not is_harmless(char, text[at - 1] if at else 0, text[at + 1]):
                    return 0
            at += 1

    cdef bint _has_phrase(self, const uint32_t *keys, Py_ssize_t count) noexcept nogil:
        """Whether the words of these hashes have a phrase."""
        cdef open_t[OPEN_MAX] opened
        cdef int still = 0
        cdef Py_ssize_t at
        cdef uint64_t begins = 0  # a bit for each word with which a phrase may begin
        self.size = self.count = self.length = 0
        self.id_begins[0] = 0
        for at in range(count):
            begins |= self._note_word(opened, &still, keys[at])
        return begins != 0 and self._walks_from(begins)

    cdef uint64_t _note_word(self, open_t *opened, int *count, uint32_t key) noexcept nogil:
        """Add the word of a hash; return the bits of the words with which phrases may begin that it continues, or is."""
        cdef const word_t *words = <const word_t *>self.index.parts[WORDS]
        cdef int word = hashed_word(self.index, key), at, kept = 0, reach
        cdef uint32_t token, one, ids = self.id_begins[self.size]
        cdef uint64_t begins = 0
        for at in range(count[0]):
            if word >= 0:
                for token in range(words[word].tokens, words[word + 1].tokens):
                    for one in range(words[opened[at].word].first, words[opened[at].word + 1].first):
                        if has_pair(self.index, self.index.parts[FIRST][one], self.index.parts[WORD_TOKENS][token]):
                            begins |= <uint64_t>1 << opened[at].place
            if opened[at].left > 1:
                opened[kept] = open_t(opened[at].word, opened[at].place, opened[at].left - 1)
                kept += 1
        if word >= 0:
            self.ids[ids] = word
            ids += 1
            reach = self.index.reaches[word]
            if reach == ALONE:
                begins |= <uint64_t>1 << self.size
            elif reach:
                opened[kept] = open_t(word, <int>self.size, reach)
                kept += 1
        self.size += 1
        self.id_begins[self.size] = ids
        count[0] = kept
        return begins

    cdef bint _walks_from(self, uint64_t begins) noexcept nogil:
        """Whether a phrase begins with a word of `begins`."""
        cdef Py_ssize_t place
        for place in range(self.size):
            if begins >> place & 1:
                self._walk_first(place)
        return self.count > 0

    cpdef list hits(self):
        """Return the phrases that were found: (number of the end, its first word, the word behind its last).

        WORD_HITS_MAX at most begin at one word, and HITS_MAX are in a text.
        """
        cdef Py_ssize_t at
        return [(self.found[at].end, self.found[at].begin, self.found[at].behind) for at in range(self.count)]

    cpdef list spans(self):
        """Return begin and end of each word of the text."""
        cdef Py_ssize_t at
        return [(self.begins[at], self.reaches[at]) for at in range(self.size if self.length else 0)]

    cpdef list find(self, int graph):
        """Return the phrases of a graph in the words of the last text, as `hits`."""
        cdef Py_ssize_t place
        self._check_graph(graph)
        self.count = 0
        for place in range(self.size):
            self._find_at(graph, place)
        return self.hits()

    cpdef bint has_phrase_at(self, int graph, Py_ssize_t place) except -1:
        """Whether a phrase of a graph begins at a word of the last text."""
        self._check_graph(graph)
        self.count = 0
        if 0 <= place < self.size:
            self._find_at(graph, place)
        return self.count > 0

    cdef int _check_graph(self, int graph) except -1:
        if not 0 <= graph < GRAPHS:
            raise ValueError("there is no such graph")
        return 0

    # what a text holds

    cdef int _look(self, bint ascii) noexcept nogil:
        """Return the flags of its characters."""
        cdef int flags = 0 if ascii else WIDE_FLAG | SIGNS_FLAG
        cdef Py_UCS4 char, last = 0, behind
        cdef Py_ssize_t at, row = 0
        self.digits = 0
        for at in range(self.length):
            char = self.text[at]
            row = row + 1 if char == last else 1
            if row == STRETCH:
                flags |= SIGNS_FLAG
            if char < 64:  # below letters
                behind = self.text[at + 1] if at + 1 < self.length else 0
                if 48 <= char <= 57:
                    self.digits += 1
                    flags |= DIGIT_FLAG | SIGNS_FLAG
                elif char == c".":
                    if (behind != 0 and behind != c" " and behind != c".") or (behind == c" " and (last == c" " or last == c"(" or last == c"[")):
                        flags |= DOT_FLAG
                elif char == c":" and behind == c"/":
                    flags |= DOT_FLAG
                elif char == c"+":
                    flags |= PLUS_FLAG
                elif char == c"$":
                    flags |= SIGNS_FLAG
                elif char == c"!" and (alnum(last) or last == c"_") and (alnum(behind) or behind == c"_"):
                    flags |= SIGNS_FLAG
            elif char == c"@":
                flags |= AT_FLAG | SIGNS_FLAG
            elif char > 127 and Py_UNICODE_ISDECIMAL(char):
                self.digits += 1
            last = char
        return flags

    cdef int _split(self) noexcept nogil:
        """Find the words of the text; return SPELLED if some are spelled in single letters.

        A word is a row of letters and digits, with an `@` or `$` before it, and with single signs (@ $ ! ' \u2019) within it. In scripts without
        spaces each character is one, and a number ends before letters outside ASCII.
        """
        cdef Py_UCS4 char
        cdef Py_ssize_t at = 0, begin, narrow = 0, alone = 0
        cdef bint number
        cdef int flags = 0
        while at < self.length and narrow < self.words_max:
            begin = at
            char = self.text[at]
            if char == c"@" or char == c"$":
                at += 1
            if at == self.length or not alnum(self.text[at]):
                at = begin + 1
                continue
            char = self.text[at]
            if unspaced(char):
                at += 1
                alone = 0
            else:
                number = char <= c"9"
                while at < self.length:
                    char = self.text[at]
                    if not alnum(char) and not (
                        (char == c"@" or char == c"$" or char == c"!" or char == c"'" or char == 0x2019)
                        and at + 1 < self.length and alnum(self.text[at + 1])
                    ):
                        break
                    if char > 0x7F and (number or unspaced(char)):
                        break
                    number = number and char <= c"9"
                    at += 1
                narrow += 1
                alone = alone + 1 if at - begin == 1 else 0
                if alone == SPELLED_ROW:
                    flags |= SPELLED_FLAG
            self.begins[self.size] = begin
            self.reaches[self.size] = at
            self.size += 1
        return flags

    cdef Py_ssize_t _word_at(self, Py_ssize_t place) noexcept nogil:
        """Write a word of the text, without apostrophes, into `word`; return its length."""
        cdef Py_ssize_t at, size = 0
        for at in range(self.begins[place], self.reaches[place]):
            if self.text[at] != c"'":
                self.word[size] = self.text[at]
                size += 1
        return size

    # readings of a word

    cdef void _add(self, Py_ssize_t place, const Py_UCS4 *chars, Py_ssize_t size) noexcept nogil:
        """Add a reading of the word at a place."""
        cdef int word = word_of(self.index, chars, size)
        cdef uint32_t at, end = self.id_begins[place + 1]
        if word >= 0 and end - self.id_begins[place] < READINGS_MAX:
            for at in range(self.id_begins[place], end):
                if self.ids[at] == <uint32_t>word:
                    return
            self.ids[end] = word
            self.id_begins[place + 1] = end + 1

    cdef void _read_word(self, Py_ssize_t place, Py_ssize_t size) noexcept nogil:
        """Note the words of the index that the word in `word` may be read as."""
        cdef Py_UCS4[READING_MAX] alike
        cdef Py_ssize_t bare, length
        self.id_begins[place + 1] = self.id_begins[place]
        self._add(place, self.word, size)
        if not self.signs or not self._is_strange(size):
            return
        length = self._alike(size, alike)
        bare = 0
        while bare < size and (self.word[bare] == c"@" or self.word[bare] == c"$"):
            bare += 1
        if bare and bare < size:
            self._add(place, self.word + bare, size - bare)
        self._add(place, alike, length)
        self._add_shortened(place, alike, length)
        self._add_imitated(place, alike, length)

    cdef bint _is_strange(self, Py_ssize_t size) noexcept nogil:
        """Whether the word in `word` may have more readings than its spelling."""
        cdef Py_ssize_t at, row = 0
        cdef bint plain = True, digits = True
        cdef Py_UCS4 char, last = 0
        if size > WORD_MAX or size == 0 or (size == 1 and unspaced(self.word[0])):
            return False
        for at in range(size):
            char = self.word[at]
            row = row + 1 if char == last else 1
            plain = plain and row < STRETCH and (97 <= char <= 122 or 65 <= char <= 90)
            digits = digits and Py_UNICODE_ISDIGIT(char)
            last = char
        return not plain and not digits

    cdef Py_ssize_t _alike(self, Py_ssize_t size, Py_UCS4 *alike) noexcept nogil:
        """Write the word in `word` with look-alikes replaced; return its length."""
        cdef const uint8_t *kinds = <const uint8_t *>self.index.parts[KINDS]
        cdef const mapped_t *mapped = <const mapped_t *>self.index.parts[MAPPED]
        cdef Py_ssize_t at, length = 0
        cdef uint32_t low, high, middle, one
        cdef Py_UCS4 char
        for at in range(size):
            char = self.word[at]
            low, high = 0, self.index.rows[MAPPED]
            if char < CODES and kinds[char] == SAME:
                high = 0
            while low < high:
                middle = (low + high) >> 1
                if mapped[middle].code < <uint32_t>char:
                    low = middle + 1
                else:
                    high = middle
            if low < self.index.rows[MAPPED] and mapped[low].code == <uint32_t>char:
                for one in range(mapped[low].chars, mapped[low + 1].chars):
                    if length < READING_MAX:
                        alike[length] = self.index.parts[MAPPED_CHARS][one]
                        length += 1
            elif length < READING_MAX:
                alike[length] = char
                length += 1
        return length

    cdef void _add_shortened(self, Py_ssize_t place, const Py_UCS4 *chars, Py_ssize_t size) noexcept nogil:
        """Add a word with each row of STRETCH and more of a character as one of it, and as two."""
        cdef Py_UCS4[READING_MAX] short
        cdef Py_ssize_t most, at, begin, length, row, _copy
        cdef bint stretched
        for most in range(1, 3):
            length = begin = 0
            stretched = False
            for at in range(1, size + 1):
                if at == size or chars[at] != chars[begin]:
                    row = at - begin
                    if row >= STRETCH:
                        stretched = True
                        row = most
                    for _copy in range(row):
                        short[length] = chars[begin]
                        length += 1
                    begin = at
            if not stretched:
                return
            self._add(place, short, length)

    cdef void _add_imitated(self, Py_ssize_t place, const Py_UCS4 *chars, Py_ssize_t size) noexcept nogil:
        """Add a word with letters in place of the digits and signs that imitate them, in each reading of its ones."""
        cdef Py_UCS4[READING_MAX] spelled
        cdef Py_ssize_t at, ones = 0, seen
        cdef int choice, choices
        cdef bint imitates = False
        cdef Py_UCS4 letter
        for at in range(size):
            letter = letter_of(chars[at])
            ones += chars[at] == c"1"
            imitates = imitates or letter != 0 or chars[at] == c"1"
        if not imitates:
            return
        choices = 2 if ones > AMBIGUOUS else 1 << ones
        for choice in range(choices):
            seen = 0
            for at in range(size):
                letter = letter_of(chars[at])
                if chars[at] == c"1":
                    letter = c"l" if choice >> (0 if ones > AMBIGUOUS else seen) & 1 else c"i"
                    seen += 1
                spelled[at] = letter if letter else chars[at]
            self._add(place, spelled, size)

    # phrases

    cdef int _find_first(self) noexcept nogil:
        """Find the phrases of graph 0, by the nodes that each word knows; return HIT if there are any."""
        cdef Py_ssize_t place
        for place in range(self.size):
            self._walk_first(place)
        return HIT_FLAG if self.count else 0

    cdef void _walk_first(self, Py_ssize_t place) noexcept nogil:
        """Add the phrases of graph 0 that begin with a word; note in `walked` the last word that was tried."""
        cdef const word_t *words = <const word_t *>self.index.parts[WORDS]
        cdef uint32_t at, one
        self.more = 0
        for at in range(self.id_begins[place], self.id_begins[place + 1]):
            if words[self.ids[at]].first < words[self.ids[at] + 1].first:
                if self.more == 0:
                    self._next_stamp()
                for one in range(words[self.ids[at]].first, words[self.ids[at] + 1].first):
                    self._push(self.index.parts[FIRST][one])
        self.walked[place] = <uint32_t>(self._walk(place) if self.more else place)

    cdef void _find_at(self, int graph, Py_ssize_t place) noexcept nogil:
        """Find the phrases of a graph that begin at a word."""
        self.more = 0
        self._next_stamp()
        self._lead(self.index.parts[ROOTS][graph], place)
        if self.more:
            self._walk(place)

    cdef void _next_stamp(self) noexcept nogil:
        self.stamp += 1
        if self.stamp == 0:
            memset(self.stamps, 0, (<size_t>self.index.rows[NODES] + 1) * sizeof(uint32_t))
            self.stamp = 1

    cdef void _push(self, uint32_t node) noexcept nogil:
        if self.stamps[node] != self.stamp:
            self.stamps[node] = self.stamp
            self.following[self.more] = node
            self.more += 1

    cdef void _lead(self, uint32_t node, Py_ssize_t place) noexcept nogil:
        """Add the nodes to which a node leads on by the word at a place, as one of its tokens."""
        cdef const word_t *words = <const word_t *>self.index.parts[WORDS]
        cdef const key_t *key
        cdef uint32_t at, token, child
        for at in range(self.id_begins[place], self.id_begins[place + 1]):
            for token in range(words[self.ids[at]].tokens, words[self.ids[at] + 1].tokens):
                key = key_of(self.index, node, self.index.parts[WORD_TOKENS][token])
                if key != NULL:
                    for child in range(key[0].children, key[1].children):
                        self._push(self.index.parts[CHILDREN][child])

    cdef Py_ssize_t _walk(self, Py_ssize_t place) noexcept nogil:
        """Add the phrases whose first word, at `place`, leads to the nodes of `following`; none beyond WORD_HITS_MAX and HITS_MAX. Return the last
        word that was tried; the number of words, if the text or the room for hits ended first.
        """
        cdef const node_t *nodes = <const node_t *>self.index.parts[NODES]
        cdef Py_ssize_t at = place + 1, count, one
        cdef Py_ssize_t most = min(self.count + WORD_HITS_MAX, HITS_MAX), since, known
        cdef uint32_t other, end, number
        if self.count == most:
            return self.size
        while self.more:
            count = self.more
            self.frontier, self.following = self.following, self.frontier
            self.more = 0
            since = self.count
            for one in range(count):
                for end in range(nodes[self.frontier[one]].ends, nodes[self.frontier[one] + 1].ends):
                    number = self.index.parts[ENDS][end]
                    if self.wanted_ends == NULL or (number < self.wanted_size and self.wanted_ends[number]):
                        known = since  # phrases of many languages end here alike
                        while known < self.count and self.found[known].end != number:
                            known += 1
                        if known < self.count:
                            continue
                        self.found[self.count] = hit_t(number, place, at)
                        self.count += 1
                        if self.count == most:
                            self.more = 0
                            return self.size
            if at == self.size:
                return at
            self._next_stamp()
            for one in range(count):
                self._lead(self.frontier[one], at)
                for other in range(nodes[self.frontier[one]].others, nodes[self.frontier[one] + 1].others):
                    self._push(self.index.parts[OTHERS][other])
            at += 1
        return at - 1
