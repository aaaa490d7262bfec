"""Define the kinds of legal orders, and the categories of data that each may open at most.

**Invariant:** a category beyond the bound of the order's kind is refused before anything is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.data.privacy.registry_model import Category

A, B, F, G, H, L, LOG = Category.A, Category.B, Category.F, Category.G, Category.H, Category.L, Category.LOG
HOUR, DAY = 3600, 86_400
EVERYTHING: Final = frozenset({A, B, F, G, H, L, LOG})


class BeyondBounds(ValueError):
    """The order asks for more than its kind may open."""


@dataclass(frozen=True, slots=True)
class OrderKind:
    """A kind of order. `most`: categories that it may open if it names them; `due`: seconds to answer, None if the order itself says when."""

    words: str
    most: frozenset[Category]
    due: int | None = None


# The text of saved logs and customer records need a warrant, or an order of the same weight.
KINDS: Final = {
    "demand": OrderKind("a demand without legal process", frozenset({A, F, H})),
    "subpoena": OrderKind("a subpoena, 18 U.S.C. 2703(c)(2)", frozenset({A})),
    "court_order": OrderKind("a court order, 18 U.S.C. 2703(d)", frozenset({A, F, G})),
    "warrant": OrderKind("a search warrant", EVERYTHING),
    "epoc_subscriber": OrderKind("a European Production Order for subscriber data", frozenset({A, F, G}), 10 * DAY),
    "epoc_content": OrderKind("a European Production Order for traffic data or content", EVERYTHING, 10 * DAY),
    "emergency": OrderKind("danger to a life, 18 U.S.C. 2702(b)(8), (c)(4)", EVERYTHING, 8 * HOUR),
    "preservation": OrderKind("an order to preserve, 18 U.S.C. 2703(f), EPOC-PR", frozenset(), 0),
    "report": OrderKind("our own report of abuse", frozenset({A, H, L}), 0),
}


def categories(names: str) -> tuple[Category, ...]:
    """Return the categories of a list such as `A,F,LOG`. Raises BeyondBounds for an unknown one."""
    wanted = [name.strip().upper() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in Category.__members__ or Category[name] not in EVERYTHING]
    if unknown:
        raise BeyondBounds(f"no category {', '.join(unknown)}: say some of {names_of(EVERYTHING)}")
    return tuple(one for one in Category if one.name in wanted)


def opened(kind: str, asked: Iterable[Category], wanted: Iterable[Category] = ()) -> tuple[Category, ...]:
    """Return the categories to produce: those `wanted`, by default all `asked` that the kind may open. Raises BeyondBounds."""
    named = set(asked)
    allowed = named & KINDS[kind].most
    chosen = set(wanted) or allowed
    if not chosen <= allowed:
        raise BeyondBounds(
            f"{KINDS[kind].words} opens {names_of(KINDS[kind].most) or 'nothing'} at most, and this one names {names_of(named) or 'nothing'}"
        )
    return tuple(one for one in Category if one in chosen)


def names_of(some: Iterable[Category]) -> str:
    """Return categories as `A, F`."""
    known = set(some)
    return ", ".join(one.name for one in Category if one in known)
