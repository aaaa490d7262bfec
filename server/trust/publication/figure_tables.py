"""Format a month's published moderation figures as tables of words, for the web page and the command line.

**Invariant:** no number is computed here, only in `monthly_figures`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from server.data.privacy.registry_model import What
from server.data.statement.term_translations import SAID
from server.http.words.sentence_formatter import Said
from server.ops.config.moderation_policy import RULES
from server.trust.data_requests import request_states

# Keys of the catalogue for parts that have another name in the tree.
_KEYS = {
    "no ban": "warned", "a day": "day", "7 days": "week", "30 days": "month", "90 days": "quarter", "ended early": "early",
}  # fmt: skip

# Parts whose words are those of the privacy statement.
TERMS = frozenset((*request_states.KINDS, *request_states.REFUSALS, "fulfilled", "denied", "revoked", "expired", *What)) - {
    "child", "other",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a month: its title, and its lines, the total first."""

    title: str
    total: str
    lines: tuple[tuple[str, str], ...]


def tables(month: Mapping[str, Any], t: Said) -> list[Table]:
    """Return a month's tables in a language. `month`: as `server.trust.publication.monthly_figures.month` makes it."""
    founded, agreed = (
        t.text("transparency.hidden") if month[name] is None else t.share(month[name]) for name in ("founded", "agreed")
    )
    return [
        _table("reports", month, t, (t.text("transparency.founded"), founded)),
        _table("decisions", month, t, (t.text("transparency.decided"), within(month["decided"], t))),
        _table("appeals", month, t, (t.text("transparency.answered"), within(month["answered"], t))),
        _table("second", month, t, (t.text("transparency.agreed"), agreed)),
        _table("lifted", month, t),
        *(_table(name, month, t) for name in ("pictures", "looks", "referrals")),
        _table("notices", month, t),
        _table("requests", month, t, (t.text("transparency.answered"), within(month["replied"], t))),
        *(_table(name, month, t) for name in ("denials", "orders", "order_countries", "holds", "disclosures")),
        Table(t.text("transparency.table.operators"), _text(month["operators"], t), ()),
    ]


def within(seconds: int | None, t: Said) -> str:
    """Return a median in words: `within 4 hours`, in whole days from one day on; later than 30 days; not shown."""
    if seconds is None:
        return t.text("transparency.hidden")
    if seconds == 0:
        return t.text("transparency.late")
    unit = 86_400 if seconds >= 86_400 else 3_600
    return t.text("transparency.within", length=t.span(max(1, seconds // unit) * unit))


def _table(name: str, month: Mapping[str, Any], t: Said, *more: tuple[str, str]) -> Table:
    tree = month[name]
    lines = _lines(tree.get("parts", {}), (), t)
    return Table(t.text(f"transparency.table.{name}"), _text(tree["number"], t), (*lines, *more))


def _lines(parts: Mapping[str, Any], above: tuple[str, ...], t: Said) -> Iterator[tuple[str, str]]:
    if above and not any(isinstance(part["number"], int) for part in parts.values()):
        return  # not one of them is shown: no line for each
    for name, part in parts.items():
        path = (*above, _part(name, t))
        yield ", ".join(path), _text(part["number"], t)
        yield from _lines(part.get("parts", {}), path, t)


def _part(name: str, t: Said) -> str:
    if name in RULES:
        return t.text("transparency.rule", rule=name)
    if name in TERMS:
        return str(SAID[t.language](name.replace("_", " ")))
    if len(name) == 2 and name.isupper():
        return name  # a country
    return t.text(f"transparency.part.{_KEYS.get(name, name)}")


def _text(number: object, t: Said) -> str:
    """Return a number in words; `< 10` unchanged."""
    if number is None:
        return t.text("transparency.hidden")
    return t.number(number) if isinstance(number, int) else str(number)
