"""Each frame of the native protocol is what its client needs of it, and what the adapter has to know stands in the client."""

import time
from typing import Any

import orjson
import pytest

from server.site.omegle.frame_events import TOLD_MAX, StatementNotices, queue_events
from server.site.omegle.omegle_client import OmegleClient
from server.site.omegle.status_info import StatusFigures
from tests.engine.world import World


@pytest.fixture
def client() -> OmegleClient:
    return OmegleClient("central1:a", World().open().session, 1, "key", {"language": "en"}, 0.0, "localhost")


def heard(client: OmegleClient, **frame: Any) -> tuple[list[Any], bool]:
    """The events of one frame, and whether it was the last."""
    before = len(client.events)
    last = queue_events(
        client,
        frame,
        StatusFigures(World().engine, ("front1",)),
        lambda: "four,digests",
        StatementNotices(lambda: None),
    )
    return [orjson.loads(event) for event in client.events[before:]], last


def test_a_match_begins_a_count_and_a_message_goes_on_with_it(client: OmegleClient) -> None:
    found, last = heard(client, type="matched", chat="c", common=[], language="en")
    assert ([event[0] for event in found], last) == (["connected", "serverMessage", "identDigests"], False)
    assert heard(client, type="message", seq=3, text="hi") == ([["gotMessage", "hi"]], False)
    assert (client.chat, client.last) == ("c", 3)


def test_the_end_is_the_last(client: OmegleClient) -> None:
    assert heard(client, type="left") == ([["strangerDisconnected"]], True)


def test_a_partner_who_is_asked_for_their_age_is_announced_and_one_who_is_away_is_not(client: OmegleClient) -> None:
    ((event, text),) = heard(client, type="partner", state="asked", within=120.0)[0]
    assert (event, "The chat waits for the answer" in text) == ("serverMessage", True)
    assert heard(client, type="partner", state="away", within=10.0) == ([], False)


def test_a_user_whose_first_lines_wait_is_told_why(client: OmegleClient) -> None:
    ((event, text),) = heard(client, type="partner", state="paused", within=10.0)[0]
    assert (event, "until the stranger writes" in text) == ("serverMessage", True)
    assert heard(client, type="partner", state="back") == ([], False)


def test_what_operators_say_to_all_is_a_message_of_the_server_once(client: OmegleClient) -> None:
    said = {"id": "a", "texts": {"de": "Hallo", "en": "Hello"}}
    assert heard(client, type="service", announcement=said) == ([["serverMessage", "Hello"]], False)
    assert heard(client, type="service", announcement=said) == ([], False)
    ((event, text),) = heard(client, type="service", announcement=said, maintenance={})[0]
    assert (event, text.startswith("Hello No new chats")) == ("serverMessage", True)
    assert heard(client, type="service") == ([], False)


def test_a_search_that_maintenance_ends_is_over_and_says_why(client: OmegleClient) -> None:
    found, last = heard(client, type="error", code="maintenance", of="find", message="No new chats", retry_after=60)
    assert (found, last, client.refused) == ([["serverMessage", "No new chats"]], True, "maintenance")


def test_a_search_for_video_that_an_operator_ends_is_over_and_says_why(client: OmegleClient) -> None:
    refused = {
        "type": "error",
        "code": "snaps",
        "of": "find",
        "message": "Video is not possible now",
        "retry_after": 600,
    }
    assert heard(client, **refused) == ([], False), "it did not begin: the answer to the start says so"
    heard(client, type="waiting")
    assert heard(client, **refused) == ([["serverMessage", "Video is not possible now"]], True)


def test_it_is_told_once_that_it_waits(client: OmegleClient) -> None:
    assert [event[0] for event in heard(client, type="waiting")[0]] == ["waiting", "statusInfo"]
    assert heard(client, type="waiting") == ([], False)


def test_a_second_challenge_says_that_the_first_was_not_solved(client: OmegleClient) -> None:
    frame = {"type": "challenge", "kind": "word", "parameters": {"sitekey": "k"}}
    assert heard(client, **frame)[0] == [["recaptchaRequired", "k"]]
    assert heard(client, **frame)[0] == [["recaptchaRejected", "k"]]
    assert client.challenge == "word"


def test_an_error_of_its_own_frame_is_its_answer_and_others_are_events(client: OmegleClient) -> None:
    assert heard(client, type="error", code="busy", of="find", message="x")[0] == []
    assert client.refused == "busy"
    assert heard(client, type="error", code="internal", message="x")[0] == [["error", "x"]]
    assert heard(client, type="error", code="banned", appeal="/a")[0] == [["antinudeBanned", "localhost/a"]]


def test_a_notice_is_remembered_until_it_was_taken(client: OmegleClient) -> None:
    found, _ = heard(client, type="notice", id="n", rule="R1", reason="why", appeal="/a")
    assert (found[0][0], client.unread) == ("serverMessage", "n")
    assert heard(client, type="signal") == ([], False)
    assert heard(client, type="signal", candidate=None)[0] == [["icecandidate", None]]
    assert heard(client, type="typing", typing=True)[0] == [["typing"]]


def client_of(person: int) -> OmegleClient:
    return OmegleClient("central1:a", World().open().session, person, "key", {"language": "en"}, 0.0, "chat.example")


@pytest.mark.parametrize(("person", "heard"), [(7, [True, False]), (0, [True, True])])
def test_it_is_said_once_a_person(person: int, heard: list[bool]) -> None:
    coming = StatementNotices(lambda: {"version": "8.2", "from": time.time() + 86_400})
    assert [bool(coming.sentence(client_of(person))) for _ in range(2)] == heard


def test_another_version_is_said_again_and_one_that_holds_is_not() -> None:
    told = {"version": "8.2", "from": time.time() + 86_400}
    coming = StatementNotices(lambda: told)
    assert "chat.example" in coming.sentence(client_of(7))
    told = {"version": "8.3", "from": time.time() + 86_400}
    assert coming.sentence(client_of(7))
    told = {"version": "8.4", "from": time.time() - 1}
    assert not coming.sentence(client_of(7))
    assert not StatementNotices(lambda: None).sentence(client_of(7))


def test_a_bounded_number_of_people_is_remembered() -> None:
    coming = StatementNotices(lambda: {"version": "8.2", "from": time.time() + 86_400})
    first = client_of(1)
    assert coming.sentence(first)
    for person in range(2, TOLD_MAX + 2):
        first.person = person
        coming.sentence(first)
    first.person = 1
    assert coming.sentence(first)
