"""A client's queue: what is queued stays until it was written, one poll waits at most, and who polls in haste is counted."""

from engine.core.session import Session
from server.site.omegle.omegle_client import POLL_COST, POLL_CREDIT, QUEUE_EVENTS, OmegleClient


class Waiting:
    """A poll that notes how it was answered."""

    def __init__(self) -> None:
        self.news: bool | None = None

    def done(self) -> bool:
        return self.news is not None

    def set_result(self, news: bool) -> None:
        self.news = news


def made() -> OmegleClient:
    return OmegleClient("central1:x", Session(1, 2, 0, ""), 0, "192.0.2.0", {"language": "en"}, 0.0, "localhost")


def test_events_stay_until_they_are_written() -> None:
    client = made()
    client.put([b"a", b"bb"])
    client.put([b"ccc"])
    client.written(2)
    assert (client.events, client.size) == ([b"ccc"], 3)


def test_a_queue_is_full_by_number_or_by_bytes() -> None:
    client = made()
    client.put([b"x"] * (QUEUE_EVENTS - 1))
    assert not client.full
    client.put([b"x"])
    assert client.full
    client = made()
    client.put([b"x" * 70_000])
    assert client.full


def test_a_poll_is_answered_when_there_is_something_to_say_and_nobody_carries_it() -> None:
    client, poll = made(), Waiting()
    client.poll = poll
    client.wake()
    assert poll.news is None
    client.carrying = True
    client.put([b"x"])
    client.wake()
    assert poll.news is None
    client.carrying = False
    client.wake()
    assert poll.news is True
    assert not client.waits


def test_who_polls_faster_than_four_times_a_second_runs_out_of_credit_and_gets_it_back() -> None:
    client = made()
    at_once = int(POLL_CREDIT / POLL_COST)
    assert not any(client.hasty(0.0) for _ in range(at_once))
    assert client.hasty(0.0)
    assert not client.hasty(2 * POLL_COST)


def test_a_typing_that_was_not_sent_yet_is_taken_back_and_one_that_is_on_its_way_is_not() -> None:
    one = made()
    one.put([b"a", b"typing"])
    one.carrying = True
    one.forget((b"typing",))
    assert one.events == [b"a", b"typing"]
    one.carrying = False
    one.forget((b"typing",))
    assert (one.events, one.size) == ([b"a"], 1)
