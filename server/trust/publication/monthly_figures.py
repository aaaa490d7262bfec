"""Choose which monthly figures of moderation are published.

**Invariant:** no number below LEAST can be learnt, neither directly nor by subtraction of published numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.data.database.database import Database
from server.data.privacy.registry_model import What
from server.data.retention.monthly_counts import WITHIN, published
from server.ops.config.moderation_policy import REPORTS, RULES
from server.trust.data_requests import request_states
from server.trust.legal_orders import order_kinds
from server.trust.moderation_protocol import KINDS

LEAST = 10
FEW = f"< {LEAST}"
MONTHS = 24  # months shown
HIDDEN = None  # a number that is not shown because it would reveal another one
Shown = int | str | None


@dataclass(frozen=True, slots=True)
class Node:
    """A number with its parts; a leaf has a number of its own."""

    name: str
    children: tuple[Node, ...] = ()
    own: int = 0

    @property
    def number(self) -> int:
        """The sum of its leaves."""
        return sum(child.number for child in self.children) if self.children else self.own


async def months(database: Database, most: int = MONTHS) -> list[dict[str, Any]]:
    """Return the published figures of each closed month, newest first. Raises StoreAway."""
    async with database.read() as connection:
        found = await published(connection, most)
    return [month(name, figures) for name, figures in found.items()]


def month(name: str, figures: Mapping[str, int]) -> dict[str, Any]:
    """Return the published figures of one month. `figures`: as server.data.retention.monthly_counts keeps them."""
    reports, requests = shown(tree("report", figures)), shown(tree("request", figures))
    return {
        "month": name,
        "reports": reports,
        "founded": _share(reports, "acted", "none"),
        "decided": _median("decided", figures),
        "decisions": shown(tree("decision", figures)),
        "appeals": shown(tree("appeal", figures)),
        "answered": _median("answered", figures),
        "second": (second := shown(tree("second", figures))),
        "agreed": _share(second, "agreed", "differed"),
        "lifted": shown(Node("lifted", own=figures.get("lifted", 0))),
        **{name: shown(Node(name, own=figures.get(name, 0))) for name in ("pictures", "looks", "referrals")},
        "notices": shown(tree("notice", figures)),
        "requests": requests,
        "denials": _denials(requests, figures),
        "replied": _median("replied", figures),
        "orders": shown(tree("order", figures)),
        "order_countries": shown(_countries(figures)),
        "holds": shown(Node("holds", own=figures.get("hold", 0))),
        "disclosures": shown(tree("disclosure", figures)),
        "operators": shown(Node("operators", own=figures.get("operators", 0)))["number"],
    }


# Levels of each tree. Every node is always present: a missing one would reveal a zero.
LENGTHS = ("no ban", "a day", "7 days", "30 days", "90 days", "longer", "ended early")
LEVELS: dict[str, tuple[tuple[str, ...], ...]] = {
    "report": (("acted", "none", "aged"), tuple(REPORTS)),
    "decision": (("person", "program"), ("nothing", *RULES), LENGTHS),
    "appeal": (("upheld", "reversed", "lapsed"), ("person", "program")),
    "second": (("agreed", "differed", "missed"),),
    "notice": (KINDS, ("acted", "none", "passed", "aged")),
    "request": (request_states.KINDS, ("fulfilled", "denied", "revoked", "expired")),
    "denial": (request_states.REFUSALS,),
    "order": (tuple(order_kinds.KINDS), ("produced", "narrowed", "refused")),
    "disclosure": (tuple(what.value for what in What),),
}


def tree(name: str, figures: Mapping[str, int]) -> Node:
    """Build the tree of one kind of figure."""
    # stored by outcome first, shown by kind first: the number by kind is the usual question
    if name in ("notice", "request", "order"):
        figures = {"/".join((first, *rest[::-1])): n for key, n in figures.items() for first, *rest in [key.split("/")]}
    found = _node(name, name, LEVELS[name], figures)
    # programs' actions are a sibling of the rules of people's decisions, so that hiding takes one of either
    if name == "decision":
        person, program = found.children
        return Node(name, (*person.children, program))
    return found


def _denials(requests: Mapping[str, Any], figures: Mapping[str, int]) -> dict[str, Any]:
    """Return the refusals by reason. They are the refused requests of all kinds, so their sum is hidden if it reveals those of a kind."""
    node, hidden = tree("denial", figures), []
    for kind in request_states.KINDS:
        parts = requests.get("parts", {}).get(kind, {}).get("parts", {})
        if not isinstance(parts.get("denied", {}).get("number"), int):
            hidden.append(figures.get(f"request/denied/{kind}", 0))
    few = sum(number < LEAST for number in hidden)
    if node.number >= LEAST and few and not _safe(sum(hidden), few, len(hidden) - few):
        return {"number": HIDDEN}
    return shown(node)


def _countries(figures: Mapping[str, int]) -> Node:
    """Return orders by country: those of fewer than LEAST orders are one part, so that a country that is not listed says nothing."""
    found = {key.partition("/")[2]: n for key, n in figures.items() if key.startswith("order_country/")}
    many = [Node(name, own=number) for name, number in sorted(found.items()) if number >= LEAST]
    return Node("order_countries", (*many, Node("other", own=sum(n for n in found.values() if n < LEAST))))


def _node(name: str, path: str, levels: Sequence[tuple[str, ...]], figures: Mapping[str, int]) -> Node:
    if not levels or name == "nothing":
        return Node(name, own=figures.get(path, 0))
    return Node(name, tuple(_node(child, f"{path}/{child}", levels[1:], figures) for child in levels[0]))


def shown(node: Node) -> dict[str, Any]:
    """Return a tree as it is published: `number`, and `parts` by name if the number is shown."""
    return _shown(node, node.number if node.number >= LEAST else FEW)


def _shown(node: Node, number: Shown) -> dict[str, Any]:
    if not isinstance(number, int) or not node.children:
        return {"number": number}
    numbers = hide([child.number for child in node.children])
    parts = {child.name: _shown(child, part) for child, part in zip(node.children, numbers, strict=True)}
    return {"number": number, "parts": parts}


def hide(numbers: Sequence[int]) -> list[Shown]:
    """Return numbers whose sum is public as they may be shown.

    Figures form trees: a node is the sum of its children, and no two trees count the same thing. A number is shown if it is LEAST or more and its
    parent is shown. Of the children of a node those under LEAST are hidden; if the sum would reveal one of them, or exclude a value of 0 to 9 for
    it, more siblings are hidden, and if that does not help, all. So the hidden children of a node can be narrowed down by that node alone.
    """
    few = [at for at, number in enumerate(numbers) if number < LEAST]
    more: list[int] = []
    by_size = sorted((at for at, number in enumerate(numbers) if number >= LEAST), key=lambda at: numbers[at])
    while few and not _safe(sum(numbers[at] for at in (*few, *more)), len(few), len(more)):
        if not by_size:
            return [HIDDEN] * len(numbers)
        rest = sum(numbers[at] for at in (*few, *more))
        enough = (at for at in by_size if _safe(rest + numbers[at], len(few), len(more) + 1))
        more.append(next(enough, by_size[0]))
        by_size.remove(more[-1])
    return [FEW if at in few else HIDDEN if at in more else number for at, number in enumerate(numbers)]


def _safe(total: int, few: int, more: int) -> bool:
    """Whether each of `few` hidden numbers may be any of 0 to 9, given their sum with `more` others of LEAST or more."""
    most = LEAST - 1
    if more:
        return total >= LEAST * more + most
    return most <= total <= most * (few - 1)


def _share(tree: Mapping[str, Any], part: str, other: str) -> float | None:
    """Return the share of one part in the sum of it and another; None if one of them is not shown."""
    mine, rest = (tree.get("parts", {}).get(name, {}).get("number") for name in (part, other))
    return round(mine / (mine + rest), 2) if isinstance(mine, int) and isinstance(rest, int) else None


def _median(name: str, figures: Mapping[str, int]) -> int | None:
    """Return the seconds within which half of them were done: one of WITHIN; 0 for longer, None if they are too few."""
    counts = [figures.get(f"{name}/{within}", 0) for within in (*WITHIN, 0)]
    half, passed = sum(counts) / 2, 0
    if sum(counts) < LEAST:
        return None
    for within, number in zip((*WITHIN, 0), counts, strict=True):
        passed += number
        if passed >= half:
            return within
    return None
