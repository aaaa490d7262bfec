"""Who may do what in the console. Rule: one table; an account has one or more roles, and may what any of them may."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

from server.ops.config.moderation_policy import APPEALS, NOTICES, QUEUES, URGENT


class Action(StrEnum):
    """What a page or a form of the console does."""

    WORK = "work"  # queues people, spam, machine and low: list, read, claim, warn, pause, ban up to 30 days, release
    CHILD = "child"  # queues urgent and child, measures age and refer
    LONG = "long"  # bans up to 90 days
    UNBAN = "unban"  # end a ban of another operator's decision
    APPEALS = "appeals"  # answer appeals of others' decisions
    NOTICES = "notices"  # what anybody wrote at /notice
    FOREVER = "forever"  # beyond 90 days, or a wider network
    REVEAL = "reveal"  # the address of a case's subject
    EXPORT = "export"  # a case as a file
    HOLD = "hold"  # keep a case's rows from the purge
    ACCOUNTS = "accounts"  # invite, roles, close


_MODERATOR = frozenset({Action.WORK})
ROLES: dict[str, frozenset[Action]] = {
    "moderator": _MODERATOR,
    "child": _MODERATOR | {Action.CHILD},
    "lead": _MODERATOR | {Action.LONG, Action.UNBAN, Action.APPEALS, Action.NOTICES, Action.FOREVER},
    "officer": _MODERATOR | {Action.REVEAL, Action.EXPORT, Action.HOLD},
    "admin": frozenset({Action.ACCOUNTS}),
}
# What opens each queue of cases, and the two lists beside them.
OPENED_BY: dict[str, Action] = {
    **dict.fromkeys(QUEUES, Action.WORK), URGENT: Action.CHILD, APPEALS: Action.APPEALS, NOTICES: Action.NOTICES,
}  # fmt: skip
STEP_UP = frozenset({Action.LONG, Action.FOREVER, Action.REVEAL, Action.EXPORT, Action.HOLD, Action.ACCOUNTS})
TWO_OPERATORS = frozenset({Action.FOREVER, Action.REVEAL, Action.EXPORT})


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is signed in. `name`: a pseudonym; `proved`: Unix seconds of the last passkey."""

    name: str
    roles: frozenset[str]
    proved: float

    def may(self, action: Action) -> bool:
        """Whether one of the roles allows it."""
        return any(action in ROLES[role] for role in self.roles)


Who = Action | Set[Action] | None


def allowed(operator: Operator, who: Who) -> bool:
    """Whether an operator is meant: by one action, by any of several, or (None) by being signed in."""
    if who is None:
        return True
    return any(map(operator.may, {who} if isinstance(who, Action) else who))
