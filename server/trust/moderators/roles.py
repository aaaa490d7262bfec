"""Define the roles of moderators and the permissions of each role, in one table.

**Invariant:** an account has one or more roles, and the permissions of all of them.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

from server.ops.config.moderation_policy import APPEALS, NOTICES, QUEUES, URGENT


class Action(StrEnum):
    """A permission: what a page or a form of the console does."""

    WORK = "work"  # queues people, spam, machine and low: list, read, claim, warn, pause, ban up to 30 days, release
    CHILD = "child"  # queues urgent and child, measures age and refer, public notices about children
    LONG = "long"  # bans up to 90 days
    UNBAN = "unban"  # lift a ban that another moderator decided
    APPEALS = "appeals"  # answer appeals of others' decisions
    NOTICES = "notices"  # public notices, written at /notice
    FOREVER = "forever"  # beyond 90 days, or a wider network
    REVEAL = "reveal"  # the address of a case's subject
    EXPORT = "export"  # a case as a file
    PRODUCE = "produce"  # the records that a legal order names
    REFER = "refer"  # the package of a report about the abuse of a child
    HOLD = "hold"  # keep a case's rows from the purge
    REQUESTS = (
        "requests"  # requests about own data: list, read, answer, refuse, extend, close; remove a saved log by its link
    )
    AUDIT = "audit"  # read the audit log
    LIVE = "live"  # who is here now: list sessions, end one, pause its video; tell all users something; maintenance
    REVIEW = "review"  # review an emergency in which one had no part
    ACCOUNTS = "accounts"  # invite, roles, close


_MODERATOR = frozenset({Action.WORK})
ROLES: dict[str, frozenset[Action]] = {
    "moderator": _MODERATOR,
    "child": _MODERATOR | {Action.CHILD, Action.REFER},
    "lead": _MODERATOR | {Action.LONG, Action.UNBAN, Action.APPEALS, Action.NOTICES, Action.FOREVER, Action.REVIEW},
    "officer": _MODERATOR | {Action.REVEAL, Action.EXPORT, Action.HOLD, Action.PRODUCE, Action.REVIEW, Action.LIVE},
    "clerk": frozenset({Action.REQUESTS}),
    "admin": frozenset({Action.ACCOUNTS, Action.AUDIT, Action.REVIEW, Action.LIVE}),
}
# The permission that opens each queue of cases, and the lists of appeals and notices.
OPENED_BY: dict[str, Action] = {
    **dict.fromkeys(QUEUES, Action.WORK), URGENT: Action.CHILD, APPEALS: Action.APPEALS, NOTICES: Action.NOTICES,
}  # fmt: skip
STEP_UP = frozenset(
    {
        Action.LONG,
        Action.FOREVER,
        Action.REVEAL,
        Action.EXPORT,
        Action.REFER,
        Action.HOLD,
        Action.PRODUCE,
        Action.ACCOUNTS,
        Action.LIVE,
    }
)
TWO_OPERATORS = frozenset({Action.FOREVER, Action.REVEAL, Action.EXPORT, Action.REFER, Action.PRODUCE})


@dataclass(frozen=True, slots=True)
class Operator:
    """A signed-in moderator. `name`: a pseudonym; `proved`: Unix seconds of the last verified passkey."""

    name: str
    roles: frozenset[str]
    proved: float

    def may(self, action: Action) -> bool:
        """Whether one of the roles has this permission."""
        return any(action in ROLES[role] for role in self.roles)


Who = Action | Set[Action] | None


def allowed(operator: Operator, who: Who) -> bool:
    """Whether a moderator may enter: with this permission, with one of several, or (None) by being signed in."""
    if who is None:
        return True
    return any(map(operator.may, {who} if isinstance(who, Action) else who))
