"""Build graphs of words from the phrases of rules, and the vocabulary of all phrases.

An edge of the graph is a word, a set of words, or any word; phrases that begin alike share their nodes. Lines are searched in the index that
`phrase_compiler` makes of a graph.
"""

from typing import NamedTuple

from server.trust.screening.phrase_templates import AGE, ANY, Choice, Item, split_words
from server.trust.screening.text_folding import plain_spellings


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


class Vocabulary:
    """The words of all phrases, however they are spelled, and what some of them mean: numbers, and words between which a clause is."""

    def __init__(self) -> None:
        self.words: dict[str, tuple[str, ...]] = {}  # the tokens of each: itself, and the sets that have it
        self.ages: dict[str, int] = {}  # words of numbers, in digits and in letters
        self.openers: set[str] = set()  # words behind which a clause begins
        self.closers: set[str] = set()  # words before which it ends
        self.others: set[str] = set()  # words before a phrase by which another person is its subject
        self.links: set[str] = set()  # words between such a word and the phrase

    def add(self, word: str, token: str) -> None:
        """Say that a word, however it is spelled, is a token of phrases."""
        if token in self.words.get(word, ()):
            return
        for form in (word, *plain_spellings(word)):
            tokens = self.words.get(form, ())
            if token not in tokens:
                self.words[form] = (*tokens, token)

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
