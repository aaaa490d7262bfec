"""Parse the phrase templates of rule files. A template is a row of words, alternatives, named sets of words and wildcards:

    i (will|gonna|am going to) {harm} you     alternatives, also within a word; a set of the file
    send (me|) pics                           an empty alternative: the words may be absent
    your .. will see this                     up to GAP_MAX words between
    im _ years old                            exactly one word
    ^{age} (f|m)$                             at the beginning of a clause, and at the end of one

`{age}` is a number below eighteen in digits or words. A template becomes items, each a set of choices; a choice is a row of tokens.
**Invariant:** what a template becomes is bounded, and depends on its file only.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from server.trust.screening.text_folding import find_words, fold_line, is_unspaced, without_sign

ITEMS_MAX: Final = 16  # of a template
CHOICES_MAX: Final = 2_000  # of an item
GAP_MAX: Final = 3
ANY: Final = "_"
GAP: Final = ".."
AGE: Final = "{age}"
AGES: Final = range(8, 18)
_GROUP: Final = re.compile(r"\(([^()]*)\)")
_NAME: Final = re.compile(r"\{[a-z_]+\}")
Choice = tuple[str, ...]  # words, names of sets, and ANY
Item = frozenset[Choice]  # one of these rows; an empty one: the item may be absent


class BadTemplate(ValueError):
    """A template that is refused; the text has the reason."""


class Phrase(NamedTuple):
    """Items in their order. `starts`, `ends`: whether they must be at the beginning or the end of a clause."""

    items: tuple[Item, ...]
    starts: bool = False
    ends: bool = False


class Sets:
    """The named sets of a file. Members of one word are its `words`; longer ones are choices of the items that have the set."""

    def __init__(self, language: str, sets: Mapping[str, Sequence[str]]) -> None:
        self._language = language
        self.words: dict[str, frozenset[str]] = {}  # by the token of the set
        self._long: dict[str, list[Choice]] = {}
        for name, members in sets.items():
            rows = [row for member in members for text in _alternatives(member) for row in self._rows(text)]
            token = self._token(name)
            self.words[token] = frozenset(row[0] for row in rows if len(row) == 1 and not row[0].startswith("{"))
            self._long[token] = [row for row in rows if len(row) > 1]
            for row in rows:
                if len(row) == 1 and row[0].startswith("{"):
                    self.words[token] |= self.words[row[0]]

    def _token(self, name: str) -> str:
        return f"{{{self._language}.{name}}}"

    def parse(self, template: str) -> list[Phrase]:
        """Return the phrases of a template: one, or more if only some of its choices begin or end a clause. Raises BadTemplate."""
        texts = [_alternatives(part) for part in _parts(template)]
        if not 1 <= len(texts) <= ITEMS_MAX:
            raise BadTemplate(f"{template!r} has no word, or more than {ITEMS_MAX}")
        found = []
        for starts, ends in product((False, True), (False, True)):
            first = [text for text in texts[0] if text.startswith("^") == starts]
            rest = texts[1:]
            if rest:
                rest = [*rest[:-1], [text for text in rest[-1] if text.endswith("$") == ends]]
            else:
                first = [text for text in first if text.endswith("$") == ends]
            parts = [first, *rest]
            if all(parts):
                items = tuple(self._item(part, template) for part in parts)
                if all(() in item for item in items):
                    raise BadTemplate(f"{template!r} may be without a word")
                if _begins_with_any(items):
                    raise BadTemplate(f"{template!r} may begin with any word: each word of each line would be tried")
                found.append(Phrase(items, starts, ends))
        return found

    def _item(self, texts: list[str], template: str) -> Item:
        item = frozenset(row for text in texts for row in self._rows(text.removeprefix("^").removesuffix("$")))
        if len(item) > CHOICES_MAX:
            raise BadTemplate(f"{template!r} has more than {CHOICES_MAX} choices of a word")
        return item

    def _rows(self, text: str) -> Iterator[Choice]:
        """Yield the rows of tokens of a text without alternatives."""
        parts: list[list[Choice]] = []
        for word in text.split():
            if word == GAP:
                parts.append([(ANY,) * count for count in range(GAP_MAX + 1)])
            elif word in (ANY, AGE):
                parts.append([(word,)])
            elif AGE in word:
                parts.append([split_words(word.replace(AGE, str(age))) for age in AGES])
            elif _NAME.fullmatch(word):
                token = self._token(word[1:-1])
                if token not in self.words:
                    raise BadTemplate(f"{text!r}: there is no set {word}")
                parts.append([(token,), *self._long[token]])
            else:
                words = split_words(word)
                if not words or "{" in word or "^" in word or "$" in word:
                    raise BadTemplate(f"{text!r}: {word} is no word")
                parts.append([words])
        for made in product(*parts):
            yield tuple(token for row in made for token in row)


def _begins_with_any(items: Sequence[Item]) -> bool:
    for item in items:
        if any(choice[:1] == (ANY,) for choice in item):
            return True
        if () not in item:
            break
    return False


def _parts(template: str) -> list[str]:
    """Return the parts of a template between which a word ends: at spaces outside of parentheses, and around groups whose choices say so."""
    parts, depth, begin, group = [], 0, 0, 0
    for at, char in enumerate(f"{template} "):
        if char == "(":
            if depth == 0:
                group = at
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                choices = [choice for choice in template[group + 1 : at].split("|") if choice]
                if _ends_word(template[begin:group]) or all(choice.startswith(" ") for choice in choices):
                    parts.append(template[begin:group])
                    begin = group
                if _begins_word(template[at + 1 :]) or all(map(_ends_word, choices)):
                    parts.append(template[begin : at + 1])
                    begin = at + 1
        elif char == " " and depth == 0:
            parts.append(template[begin:at])
            begin = at + 1
    if depth:
        raise BadTemplate(f"{template!r} has a parenthesis too many")
    parts = [part.strip() for part in parts if part.strip()]
    if parts and parts[0] == "^":
        parts[:2] = ["".join(parts[:2])]
    return parts


def _ends_word(text: str) -> bool:
    """Whether a word ends at the end of a text, whatever follows: a space, or a character of a script without spaces."""
    return text.endswith(" ") or (text != "" and is_unspaced(text[-1]))


def _begins_word(text: str) -> bool:
    """Whether a word begins at the beginning of a text, whatever is before it."""
    return text != "" and is_unspaced(text[0])


def _alternatives(text: str) -> list[str]:
    """Return a text in each choice of its alternatives."""
    done: dict[str, None] = {}
    waiting = [text]
    while waiting:
        one = waiting.pop()
        group = _GROUP.search(one)
        if group is None:
            done[" ".join(one.split())] = None
            if len(done) > CHOICES_MAX:
                raise BadTemplate(f"{text!r} has more than {CHOICES_MAX} choices")
        else:
            waiting += [f"{one[: group.start()]}{choice}{one[group.end() :]}" for choice in group[1].split("|")]
    return list(done)


@lru_cache(maxsize=4_096)
def split_words(text: str) -> Choice:
    """Return the folded words of a text."""
    return tuple([without_sign(word) for word in find_words(fold_line(text))])
