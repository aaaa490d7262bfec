"""Test the limits of a network and of a person."""

from server.ops.security.token_buckets import BucketRegistry
from server.trust.data_requests.request_rate_limit import ACTS, DAY, HOUR, TICKETS, TRIES, Limits

HERE, NEAR, FAR = "81.0.0.1", "81.0.0.200", "81.0.1.1"


def test_ten_wrong_proofs_an_hour_and_network_then_none() -> None:
    limits = Limits(BucketRegistry(), on=True)
    for _ in range(int(TRIES)):
        assert limits.guessing(HERE, 0.0) == 0
        limits.missed(HERE, 0.0)
    assert limits.guessing(NEAR, 0.0) == HOUR / TRIES
    assert limits.guessing(FAR, 0.0) == 0
    assert limits.guessing(HERE, HOUR / TRIES) == 0


def test_three_requests_without_a_proof_a_day_and_network() -> None:
    limits = Limits(BucketRegistry(), on=True)
    assert [limits.ticket(HERE, 0.0) for _ in range(int(TICKETS))] == [0.0] * 3
    assert limits.ticket(NEAR, 0.0) == DAY / TICKETS
    assert limits.ticket(FAR, 0.0) == 0


def test_one_download_an_hour_and_person_and_a_bounded_number_of_acts() -> None:
    limits = Limits(BucketRegistry(), on=True)
    assert limits.export(7, 0.0) == 0
    assert limits.export(7, 0.0) == HOUR
    assert limits.export(8, 0.0) == 0
    assert [limits.act(HERE, 0.0) for _ in range(int(ACTS))] == [0.0] * int(ACTS)
    assert limits.act(HERE, 0.0) > 0


def test_where_limits_are_off_nobody_waits() -> None:
    limits = Limits(BucketRegistry(), on=False)
    assert [limits.export(7, 0.0) for _ in range(5)] == [0.0] * 5
    for _ in range(20):
        limits.missed(HERE, 0.0)
    assert limits.guessing(HERE, 0.0) == 0
