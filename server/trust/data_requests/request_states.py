"""Define the states and deadlines of a data request, as pure functions with the vocabulary of the Data Rights Protocol.

**Invariant:** every transition is listed in MOVES. Deadlines count from receipt and are never paused: the aim is 30 days (3 for the kind child), the
limit 45; one extension, with a reason, sets both to 90.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

DAY = 86_400
DUE = 30 * DAY
CHILD_DUE = 3 * DAY
OUTER = 45 * DAY
LATEST = 90 * DAY

OPEN, IN_PROGRESS, FULFILLED, DENIED = "open", "in_progress", "fulfilled", "denied"
REVOKED, EXPIRED = "revoked", "expired"
STATES = (OPEN, IN_PROGRESS, FULFILLED, DENIED, REVOKED, EXPIRED)
RUNNING = (OPEN, IN_PROGRESS)
MOVES = frozenset(
    {(OPEN, after) for after in (IN_PROGRESS, FULFILLED, DENIED, REVOKED, EXPIRED)}
    | {(IN_PROGRESS, after) for after in (FULFILLED, DENIED, REVOKED, EXPIRED)}
)
VERIFY = "need_user_verification"
REFUSALS = ("insuf_verification", "no_match", "suspected_fraud", "claim_not_covered", "too_many_requests", "other")
REASONS = {OPEN: ("",), IN_PROGRESS: ("", VERIFY), DENIED: REFUSALS} | dict.fromkeys(
    (FULFILLED, REVOKED, EXPIRED), ("",)
)

KINDS = ("know", "export", "delete", "restrict", "object", "correct", "shine", "child", "complaint", "other")
UNPROVED_KINDS = ("shine", "child", "complaint", "other")  # they concern no stored data: there is nothing to prove
WAYS = ("page", "mail", "letter", "agent", "operator")


class NotAllowed(ValueError):
    """A move that the state machine does not have; the text is the reason."""


@dataclass(frozen=True, slots=True)
class RequestState:
    """State of a request; times in Unix seconds. `extended`: when its time was extended, `why` the reason that the person reads."""

    received: int
    due: int
    outer: int
    state: str = OPEN
    reason: str = ""
    extended: int | None = None
    why: str = ""
    answered: int | None = None
    closed: int | None = None


def due_in(kind: str) -> int:
    """Return the seconds from the receipt of a request to our aim for its answer."""
    return CHILD_DUE if kind == "child" else DUE


def begin(received: int, *, proved: bool, kind: str = "") -> RequestState:
    """Return the state of a new request; without a proof it waits for one, and its clocks run."""
    fresh = RequestState(received, received + due_in(kind), received + OUTER)
    return fresh if proved else replace(fresh, state=IN_PROGRESS, reason=VERIFY)


def move(standing: RequestState, state: str, now: int, reason: str = "") -> RequestState:
    """Return the next state. Raises NotAllowed."""
    if (standing.state, state) not in MOVES:
        raise NotAllowed(f"a request that is {standing.state} cannot become {state}")
    if reason not in REASONS[state]:
        allowed = ", ".join(word or "none" for word in REASONS[state])
        raise NotAllowed(f"{state} has the reasons: {allowed}")
    answered = now if state in (FULFILLED, DENIED) else standing.answered
    closed = None if state in RUNNING else now
    return replace(standing, state=state, reason=reason, answered=answered, closed=closed)


def verified(standing: RequestState) -> RequestState:
    """Return the state of a request that waited for a proof, with it. Its clocks ran all the time. Raises NotAllowed."""
    if (standing.state, standing.reason) != (IN_PROGRESS, VERIFY):
        raise NotAllowed("this request waits for no proof")
    return replace(standing, reason="")


def extend(standing: RequestState, now: int, why: str) -> RequestState:
    """Extend the time to day 90: once, in the first month, with a reason. Raises NotAllowed."""
    if standing.state not in RUNNING:
        raise NotAllowed(f"a request that is {standing.state} needs no more time")
    if standing.extended is not None:
        raise NotAllowed("it was put off before; the law allows it once")
    if now > standing.received + DUE:
        raise NotAllowed("its first month is over; the law allows it within that only")
    if not why.strip():
        raise NotAllowed("the person is told why: give a reason")
    latest = standing.received + LATEST
    return replace(standing, due=latest, outer=latest, extended=now, why=why.strip()[:500])
