"""Test the scope of a proof."""

import pytest

from server.trust.data_requests.identity_proof import AGENT, DELETE, KNOW, MANAGE, WHOLE, Proof


@pytest.mark.parametrize(
    ("proved", "opens"),
    [
        (Proof(1, 3, WHOLE), {KNOW, DELETE, MANAGE}),
        (Proof(1, 3, AGENT, b"code"), {KNOW, DELETE}),
        (Proof(1, 3, frozenset({KNOW}), b"code"), {KNOW}),
        (Proof(1, 3, AGENT, b"code", "NUMBER"), set()),
        (Proof(0, 2, frozenset()), set()),
        (Proof(0, 0, WHOLE), set()),
    ],
    ids=["person", "agent", "agent to know", "used code", "log", "nobody"],
)
def test_a_proof_opens_its_scope_and_a_used_code_nothing(proved: Proof, opens: set[str]) -> None:
    assert {scope for scope in WHOLE if proved.may(scope)} == opens
