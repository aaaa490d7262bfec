"""Test the permissions of each role, written out here, so that a change of the table is a change of two places."""

from __future__ import annotations

import pytest

from server.trust.moderators.roles import ROLES, STEP_UP, TWO_OPERATORS, Action, Operator, allowed

# What the contract says, written out: the table in the program is not asked.
MAY = {
    "moderator": {"work"},
    "child": {"work", "child", "refer"},
    "lead": {"work", "long", "unban", "appeals", "notices", "forever", "review"},
    "officer": {"work", "reveal", "export", "hold", "produce", "review", "live"},
    "clerk": {"requests"},
    "admin": {"accounts", "audit", "review", "live"},
}
ACTIONS = {
    *(
        "work",
        "child",
        "long",
        "unban",
        "appeals",
        "notices",
        "forever",
        "reveal",
        "export",
        "refer",
        "hold",
        "produce",
        "requests",
        "audit",
        "review",
        "accounts",
        "live",
    ),
}
ASK_AGAIN = {"long", "forever", "reveal", "export", "refer", "hold", "produce", "accounts", "live"}
TWO = {"forever", "reveal", "export", "refer", "produce"}


def test_the_table_of_roles_is_the_contracts() -> None:
    assert {role: {action.value for action in actions} for role, actions in ROLES.items()} == MAY
    assert {action.value for action in Action} == ACTIONS
    assert {action.value for action in STEP_UP} == ASK_AGAIN
    assert {action.value for action in TWO_OPERATORS} == TWO


@pytest.mark.parametrize("role", sorted(MAY))
def test_an_operator_may_what_one_of_their_roles_may(role: str) -> None:
    both = Operator("ada", frozenset({role, "admin"}), 0.0)
    assert {action.value for action in Action if both.may(action)} == MAY[role] | MAY["admin"]


def test_who_is_meant_is_one_action_any_of_several_or_everybody() -> None:
    ada = Operator("ada", frozenset({"lead"}), 0.0)
    assert allowed(ada, None)
    assert allowed(ada, Action.LONG)
    assert not allowed(ada, Action.REVEAL)
    assert allowed(ada, TWO_OPERATORS)
    assert not allowed(ada, frozenset({Action.REVEAL, Action.EXPORT}))
    assert not allowed(ada, frozenset())
