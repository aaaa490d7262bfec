"""Compile graphs of phrases and their vocabulary into the arrays of an `ext.text.phrase_index`, and the ends of phrases into numbers.

**Invariant:** the same graphs make the same bytes. A word's first node is one for each token: nodes to which the root leads by the same token are
merged, since half of all lines have a word with which hundreds of phrases begin.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from engine.matching.interest_normalisation import skeleton
from ext.text.phrase_index import HEADER_NUMBERS, MAGIC_NUMBER, word_hash
from server.trust.screening.phrase_graph import End, Node, Vocabulary

TREE, ALLOWED, UNITS = range(3)  # graphs of an index: phrases, harmless ones, units behind a number
CODES: Final = 0x1_0000  # characters whose look-alikes an index knows
ALIKE: Final = 1  # kind of a character that looks like others
FULL: Final = 2  # a table has so many slots a word, at least
_NUMBER: Final = "I"  # of four bytes


def compile_phrases(graphs: Sequence[Node], vocabulary: Vocabulary) -> tuple[bytes, list[End]]:
    """Return an index over the graphs TREE, ALLOWED and UNITS, and the ends that its numbers mean."""
    layout = _Layout()
    roots = [_merged_root(graph) for graph in graphs]
    numbers = array(_NUMBER, map(layout.number, roots))
    words = _words(vocabulary, layout, roots[TREE])
    layout.lay_out()
    parts = [*words, *layout.parts(), numbers, *_look_alikes()]
    rows = [len(part) for part in parts]
    for place, width in ((2, 3), (6, 3), (7, 2), (12, 2)):
        rows[place] = rows[place] // width - 1
    header = [MAGIC_NUMBER, *rows]
    header += [0] * (HEADER_NUMBERS - len(header))
    return b"".join(part.tobytes() for part in (array(_NUMBER, header), *parts)), list(layout.ends)


def _merged_root(graph: Node) -> Node:
    """Return a root whose every token leads to one node, that has all that those behind the token have."""
    root = Node()
    root.others, root.ends = graph.others, graph.ends
    for token, nodes in graph.next.items():
        root.next[token] = nodes if len(nodes) == 1 else (_merged(nodes),)
    return root


def _merged(nodes: tuple[Node, ...]) -> Node:
    node = Node()
    node.others = tuple(dict.fromkeys(other for one in nodes for other in one.others))
    node.ends = tuple(dict.fromkeys(end for one in nodes for end in one.ends))
    for one in nodes:
        for token, children in one.next.items():
            node.next[token] = tuple(dict.fromkeys((*node.next.get(token, ()), *children)))
    return node


class _Layout:
    """Nodes, tokens and ends by number, and the arrays of nodes."""

    def __init__(self) -> None:
        self.ends: dict[End, int] = {}
        self._tokens: dict[str, int] = {}
        self._numbers: dict[Node, int] = {}
        self._waiting: list[Node] = []
        self._nodes = array(_NUMBER)
        self._keys = array(_NUMBER)
        self._children = array(_NUMBER)
        self._others = array(_NUMBER)
        self._ends = array(_NUMBER)

    def number(self, node: Node) -> int:
        """Return the number of a node, a new one if it has none."""
        number = self._numbers.get(node)
        if number is None:
            number = self._numbers[node] = len(self._numbers)
            self._waiting.append(node)
        return number

    def token(self, token: str) -> int:
        """Return the number of a token, a new one if it has none."""
        return self._tokens.setdefault(token, len(self._tokens))

    def lay_out(self) -> None:
        """Write the rows of all nodes that have a number, and of those to which they lead."""
        for node in self._waiting:  # which grows
            self._nodes.extend((len(self._keys) // 2, len(self._others), len(self._ends)))
            for token, nodes in sorted([(self.token(token), nodes) for token, nodes in node.next.items()], key=_first):
                self._keys.extend((token, len(self._children)))
                self._children.extend(map(self.number, nodes))
            self._others.extend(map(self.number, node.others))
            self._ends.extend([self.ends.setdefault(end, len(self.ends)) for end in node.ends])
        self._nodes.extend((len(self._keys) // 2, len(self._others), len(self._ends)))
        self._keys.extend((0, len(self._children)))

    def parts(self) -> list[array[int]]:
        """Return the arrays of nodes, in the order of an index."""
        return [self._nodes, self._keys, self._children, self._others, self._ends]


def _first(row: tuple[int, object]) -> int:
    return row[0]


def _words(vocabulary: Vocabulary, layout: _Layout, root: Node) -> list[array[int]]:
    """Return the table of words, and of each word its characters, its tokens, and the nodes behind the root."""
    slots = 1
    while slots < FULL * len(vocabulary.words) + 1:
        slots *= 2
    hashes, numbers = array(_NUMBER, bytes(4 * slots)), array(_NUMBER, bytes(4 * slots))
    rows, chars, tokens, first = (array(_NUMBER) for _ in range(4))
    for count, (word, its) in enumerate(vocabulary.words.items(), 1):
        key = word_hash(word)
        slot = key & (slots - 1)
        while numbers[slot]:
            slot = (slot + 1) & (slots - 1)
        hashes[slot], numbers[slot] = key, count
        rows.extend((len(chars), len(tokens), len(first)))
        chars.extend(map(ord, word))
        tokens.extend(map(layout.token, its))
        first.extend(dict.fromkeys(layout.number(node) for token in its for node in root.next.get(token, ())))
    rows.extend((len(chars), len(tokens), len(first)))
    return [hashes, numbers, rows, chars, tokens, first]


@lru_cache(maxsize=1)
def _look_alikes() -> list[array[int]]:
    """Return the characters that look like others, those others, and whether a character of words does.

    The look-alikes of a word are those of its characters, one after the other: none of them joins the one before it in a normal form, but vowels and
    finals of Hangul, which are no look-alikes, and which folding has joined already.
    """
    kinds = bytearray(CODES)
    rows, chars = array(_NUMBER), array(_NUMBER)
    for code in range(0x80, 2 * CODES):  # those beyond are ideographs
        char = chr(code)
        alike = skeleton(char) if char.isalnum() or char == "\u2019" else char
        if alike != char:
            if code < CODES:
                kinds[code] = ALIKE
            rows.extend((code, len(chars)))
            chars.extend(map(ord, alike))
    rows.extend((0, len(chars)))
    return [rows, chars, array(_NUMBER, bytes(kinds))]
