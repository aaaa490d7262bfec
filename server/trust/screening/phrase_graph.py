"""Hold the phrases of rules as a graph of words, and find those that are in the words of a chat line.

An edge of the graph is a word, a set of words, or any word; phrases that begin alike share their nodes.
**Invariant:** each word costs one look-up; a search begins only at words with which a phrase begins, and ends after ITEMS_MAX items.
"""

from typing import Final, NamedTuple

from server.trust.screening.phrase_templates import AGE, ANY, Choice, Item, split_words
from server.trust.screening.text_folding import plain_spellings

HITS_MAX: Final = 64  # phrases of a piece that are looked at


class End(NamedTuple):
    """End of a phrase. `rule`: its rule, or, of harmless phrases, a rule or class that it excuses.

    `starts`, `ends`: it must begin or end a clause; `whole`: it must be the whole line, or, of harmless phrases, excuses all of the line; `behind`:
    the pattern (`BESIDE`) that must match behind it.
    """

    rule: str
    starts: bool = False
    ends: bool = False
    whole: bool = False
    behind: str = ""


Hit = tuple[End, int, int]  # with the index of its first word, and of the word behind its last


class Node:
    """A place in the graph of phrases. `next`: the nodes behind it, by word or set; `others`: those behind any word; `ends`: of phrases."""

    def __init__(self) -> None:
        self.next: dict[str, tuple[Node, ...]] = {}
        self.others: tuple[Node, ...] = ()
        self.ends: tuple[End, ...] = ()
        self.items: dict[Item, Node] = {}  # the node behind each item, which phrases that begin alike share

    def add(self, items: tuple[Item, ...], end: End) -> None:
        """Add a phrase behind this node."""
        places = [self]
        for item in items:
            following = [node.behind(item) for node in places]
            if () in item:
                following += places
            places = following
        for node in places:
            if end not in node.ends:
                node.ends += (end,)

    def behind(self, item: Item) -> "Node":
        """Return the node behind an item, to which each of its choices leads."""
        node = self.items.get(item)
        if node is None:
            node = self.items[item] = Node()
            for choice in item:
                if choice:
                    self._lead(choice, node)
        return node

    def _lead(self, choice: Choice, target: "Node") -> None:
        place = self
        for token in choice[:-1]:
            place = place.behind(frozenset(((token,),)))
        last = choice[-1]
        if last == ANY:
            place.others += (target,)
        else:
            place.next[last] = (*place.next.get(last, ()), target)

    def find(self, entries: "list[Entry | None]", found: list[Hit]) -> None:
        """Add a hit for each phrase behind this node in the words, in the order of their first words."""
        for place in range(len(entries)):
            self.find_at(entries, place, found)

    def find_at(self, entries: "list[Entry | None]", place: int, found: list[Hit]) -> None:
        """Add a hit for each phrase that begins at a word."""
        entry = entries[place]
        if entry is not None:
            for token in entry.tokens:
                nodes = self.next.get(token)
                if nodes is not None:
                    walk_from(nodes, entries, place, found)


class Entry:
    """Record of a word. `tokens`: itself and the sets that have it; `first`: the nodes behind it in the graph of phrases."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self.tokens = tokens
        self.first: tuple[Node, ...] = ()

    def joined(self, other: "Entry") -> "Entry":
        """Return the entry of a word that is read as another one too."""
        made = Entry(tuple(dict.fromkeys((*self.tokens, *other.tokens))))
        made.first = self.first + tuple([node for node in other.first if node not in self.first])
        return made


def find_from_first(entries: "list[Entry | None]", found: list[Hit]) -> None:
    """Add a hit for each phrase of the graph in the words, by the nodes that each word knows."""
    for place in range(len(entries)):
        entry = entries[place]
        if entry is not None and entry.first:
            walk_from(entry.first, entries, place, found)


class Vocabulary:
    """The words of all phrases, however they are spelled, and what some of them mean: numbers, and words between which a clause is."""

    def __init__(self) -> None:
        self.words: dict[str, Entry] = {}
        self.ages: dict[str, int] = {}  # words of numbers, in digits and in letters
        self.openers: set[str] = set()  # words behind which a clause begins
        self.closers: set[str] = set()  # words before which it ends

    def add(self, word: str, token: str) -> None:
        """Say that a word, however it is spelled, is a token of phrases."""
        known = self.words.get(word)
        if known is not None and token in known.tokens:
            return
        for form in (word, *plain_spellings(word)):
            entry = self.words.get(form)
            if entry is None:
                self.words[form] = Entry((token,))
            elif token not in entry.tokens:
                entry.tokens += (token,)

    def add_phrase(self, items: tuple[Item, ...]) -> None:
        """Add the words of a phrase."""
        for item in items:
            for choice in item:
                for token in choice:
                    if token != ANY and not token.startswith("{"):
                        self.add(token, token)

    def name_age(self, word: str, age: int) -> None:
        """Say that a word means an age."""
        (plain,) = split_words(word)
        self.add(plain, AGE)
        for form in (plain, *plain_spellings(plain)):
            self.ages[form] = age

    def finish(self, graph: Node) -> None:
        """Note of each word the nodes behind it, in the graph of phrases."""
        for entry in self.words.values():
            entry.first = tuple(node for token in entry.tokens for node in graph.next.get(token, ()))

    def entries_of(self, words: list[str], readings: dict[str, tuple[str, ...]]) -> "list[Entry | None]":
        """Return the entry of each word, in all its readings; None of one that no phrase has."""
        known = self.words
        if not readings:
            return [known.get(word) for word in words]
        found: list[Entry | None] = []
        for word in words:
            forms = readings.get(word)
            entry = known.get(word)
            if forms is not None:
                for form in forms:
                    other = known.get(form)
                    if other is not None and other is not entry:
                        entry = other if entry is None else entry.joined(other)
            found.append(entry)
        return found


def walk_from(nodes: tuple[Node, ...], entries: list[Entry | None], place: int, found: list[Hit]) -> None:
    """Add the phrases whose first word, at `place`, leads to `nodes`; no further ones once there are HITS_MAX."""
    size = len(entries)
    at = place + 1
    ends = list(nodes)
    while True:
        for node in ends:
            for end in node.ends:
                if len(found) < HITS_MAX:
                    found.append((end, place, at))
        if at == size:
            return
        entry = entries[at]
        following: list[Node] = []
        for node in ends:
            if entry is not None and node.next:
                for token in entry.tokens:
                    children = node.next.get(token)
                    if children is not None:
                        for child in children:
                            if child not in following:
                                following.append(child)
            for child in node.others:
                if child not in following:
                    following.append(child)
        if not following:
            return
        ends = following
        at += 1
