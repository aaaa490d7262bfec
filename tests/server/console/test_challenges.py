"""Questions: once, in time, for what they were asked; bounded."""

from server.console.challenges import LIFE, Challenges


def test_a_question_is_answered_once() -> None:
    challenges = Challenges(lambda: 0.0)
    challenges.put(b"a", "sign in", "state")
    assert challenges.take(b"a", "sign in") == "state"
    assert challenges.take(b"a", "sign in") is None


def test_a_question_ends_after_five_minutes() -> None:
    now = 0.0
    challenges = Challenges(lambda: now)
    challenges.put(b"a", "sign in", "state")
    challenges.put(b"b", "sign in", "state")
    now = LIFE - 1
    assert challenges.take(b"a", "sign in") == "state"
    now = LIFE
    assert challenges.take(b"b", "sign in") is None


def test_a_question_is_for_one_purpose_and_a_wrong_try_ends_it() -> None:
    challenges = Challenges(lambda: 0.0)
    challenges.put(b"a", "enrol ada", "state")
    assert challenges.take(b"a", "sign in") is None
    assert challenges.take(b"a", "enrol ada") is None


def test_the_oldest_go_when_there_are_too_many_and_the_late_by_themselves() -> None:
    now = 0.0
    challenges = Challenges(lambda: now, most=3)
    for number in range(5):
        challenges.put(bytes([number]), "sign in", number)
    assert len(challenges) == 3
    assert challenges.take(b"\x01", "sign in") is None
    assert challenges.take(b"\x02", "sign in") == 2
    now = LIFE
    challenges.put(b"new", "sign in", "state")
    assert len(challenges) == 1
