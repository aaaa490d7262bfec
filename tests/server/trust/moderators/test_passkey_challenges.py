"""Test challenges: once, in time, for their purpose, of one process; an unused one takes no memory."""

from server.trust.moderators.passkey_challenges import LIFE, Challenges


def test_a_challenge_is_used_once() -> None:
    challenges = Challenges(lambda: 0.0)
    one = challenges.make("sign in")
    assert challenges.is_open(one, "sign in")
    assert challenges.use(one)
    assert not challenges.is_open(one, "sign in")
    assert not challenges.use(one)


def test_a_challenge_ends_after_five_minutes_and_stays_used_until_then() -> None:
    now = 0.0
    challenges = Challenges(lambda: now)
    one, other = challenges.make("sign in"), challenges.make("sign in")
    now = LIFE - 1
    assert challenges.is_open(one, "sign in")
    assert challenges.use(one)
    assert not challenges.is_open(one, "sign in")
    now = LIFE
    assert not challenges.is_open(other, "sign in")


def test_a_challenge_is_for_one_purpose_and_one_process() -> None:
    challenges = Challenges(lambda: 0.0)
    one = challenges.make("enrol ada")
    assert not challenges.is_open(one, "sign in")
    assert challenges.is_open(one, "enrol ada")
    assert not Challenges(lambda: 0.0).is_open(one, "enrol ada")


def test_no_byte_of_a_challenge_can_be_changed() -> None:
    challenges = Challenges(lambda: 0.0)
    one = challenges.make("sign in")
    for place in range(len(one)):
        assert not challenges.is_open(one[:place] + bytes([one[place] ^ 1]) + one[place + 1 :], "sign in")
    for other in (b"", one[:-1], one + b"\0"):
        assert not challenges.is_open(other, "sign in")


def test_the_used_ones_are_bounded_and_none_makes_room_for_another_before_it_ends() -> None:
    now = 0.0
    challenges = Challenges(lambda: now, used_max=2)
    first, second, third = (challenges.make("sign in") for _ in range(3))
    assert [challenges.use(one) for one in (first, second, third)] == [True, True, False]
    assert not challenges.is_open(first, "sign in")
    now = LIFE
    assert challenges.use(challenges.make("sign in"))
