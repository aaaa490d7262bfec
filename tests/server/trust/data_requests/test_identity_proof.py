"""What a proof opens."""

import pytest

from server.trust.data_requests.identity_proof import AGENT, DELETE, KNOW, MANAGE, WHOLE, Proved


@pytest.mark.parametrize(
    ("proved", "opens"),
    [
        (Proved(1, 3, WHOLE), {KNOW, DELETE, MANAGE}),
        (Proved(1, 3, AGENT, b"code"), {KNOW, DELETE}),
        (Proved(1, 3, frozenset({KNOW}), b"code"), {KNOW}),
        (Proved(1, 3, AGENT, b"code", "NUMBER"), set()),
        (Proved(0, 2, frozenset()), set()),
        (Proved(0, 0, WHOLE), set()),
    ],
    ids=["person", "agent", "agent to know", "used code", "log", "nobody"],
)
def test_a_proof_opens_its_scope_and_a_used_code_nothing(proved: Proved, opens: set[str]) -> None:
    assert {scope for scope in WHOLE if proved.may(scope)} == opens
