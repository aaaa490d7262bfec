"""Test the state machine of requests: all pairs of states, and each clock."""

from itertools import product

import pytest

from server.trust.data_requests import request_states
from server.trust.data_requests.request_states import (
    DAY,
    DENIED,
    EXPIRED,
    FULFILLED,
    IN_PROGRESS,
    OPEN,
    REASONS,
    REFUSALS,
    REVOKED,
    RUNNING,
    STATES,
    VERIFY,
    NotAllowed,
    RequestState,
    begin,
    extend,
    move,
    verified,
)

AT = 1_795_000_000
ALLOWED = {
    (OPEN, IN_PROGRESS),
    (OPEN, FULFILLED),
    (OPEN, DENIED),
    (OPEN, REVOKED),
    (OPEN, EXPIRED),
    (IN_PROGRESS, FULFILLED),
    (IN_PROGRESS, DENIED),
    (IN_PROGRESS, REVOKED),
    (IN_PROGRESS, EXPIRED),
}


def at(state: str) -> RequestState:
    """A request in a state."""
    closed = None if state in RUNNING else AT
    return RequestState(AT, AT + 30 * DAY, AT + 45 * DAY, state, REASONS[state][0], closed=closed)


@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
def test_each_pair_of_states_moves_or_is_refused_as_the_table_says(before: str, after: str) -> None:
    reason = REASONS[after][0]
    if (before, after) not in ALLOWED:
        with pytest.raises(NotAllowed, match=f"{before} cannot become {after}"):
            move(at(before), after, AT + 1, reason)
        return
    done = move(at(before), after, AT + 1, reason)
    assert (done.state, done.reason) == (after, reason)
    assert done.closed == (None if after in RUNNING else AT + 1)
    assert done.answered == (AT + 1 if after in (FULFILLED, DENIED) else None)
    assert (done.received, done.due, done.outer) == (AT, AT + 30 * DAY, AT + 45 * DAY)


@pytest.mark.parametrize(("state", "reason"), list(product(STATES, ("", VERIFY, *REFUSALS, "because"))))
def test_each_state_has_its_own_reasons_and_no_other(state: str, reason: str) -> None:
    if (OPEN, state) not in ALLOWED:
        return
    if reason in REASONS[state]:
        assert move(at(OPEN), state, AT, reason).reason == reason
    else:
        with pytest.raises(NotAllowed):
            move(at(OPEN), state, AT, reason)


def test_the_clocks_run_from_the_receipt_also_while_nobody_has_proved_anything() -> None:
    for proved in (True, False):
        fresh = begin(AT, proved=proved)
        assert (fresh.due - AT, fresh.outer - AT) == (30 * DAY, 45 * DAY)
        assert (fresh.state, fresh.reason) == ((OPEN, "") if proved else (IN_PROGRESS, VERIFY))


def test_it_is_put_off_once_in_its_first_month_to_day_ninety_with_a_reason() -> None:
    fresh = begin(AT, proved=True)
    late = extend(fresh, AT + 29 * DAY, " we ask the host ")
    assert (late.due, late.outer, late.extended, late.why) == (
        AT + 90 * DAY,
        AT + 90 * DAY,
        AT + 29 * DAY,
        "we ask the host",
    )
    with pytest.raises(NotAllowed, match="once"):
        extend(late, AT + 29 * DAY, "again")
    with pytest.raises(NotAllowed, match="first month"):
        extend(fresh, AT + 30 * DAY + 1, "too late")
    with pytest.raises(NotAllowed, match="reason"):
        extend(fresh, AT, "  ")


@pytest.mark.parametrize("state", [state for state in STATES if state not in RUNNING])
def test_what_is_closed_is_not_put_off(state: str) -> None:
    with pytest.raises(NotAllowed):
        extend(at(state), AT, "why")


def test_agents_know_the_states_and_the_reasons() -> None:
    assert set(request_states.STATES) == {"open", "in_progress", "fulfilled", "denied", "revoked", "expired"}
    assert set(REFUSALS) == {
        "insuf_verification", "no_match", "suspected_fraud", "claim_not_covered", "too_many_requests", "other",
    }  # fmt: skip


def test_a_notice_about_a_child_is_due_in_three_days_and_may_be_extended_in_its_first_month() -> None:
    standing = begin(AT, proved=True, kind="child")
    assert (standing.due, standing.outer) == (AT + 3 * DAY, AT + 45 * DAY)
    assert extend(standing, AT + 30 * DAY, "we ask the police").due == AT + 90 * DAY
    with pytest.raises(NotAllowed, match="first month"):
        extend(standing, AT + 30 * DAY + 1, "late")


def test_a_proof_ends_the_wait_for_one_and_no_clock() -> None:
    waits = begin(AT, proved=False)
    assert verified(waits) == RequestState(AT, waits.due, waits.outer, IN_PROGRESS)
    for standing in (begin(AT, proved=True), verified(waits), at(FULFILLED)):
        with pytest.raises(NotAllowed):
            verified(standing)
