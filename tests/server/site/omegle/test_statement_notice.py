"""Who says who they are hears once of a statement that is to come, everybody else in each chat; of one that holds nobody does."""

import time

import pytest

from server.site.omegle.omegle_client import Client
from server.site.omegle.statement_notice import TOLD_MAX, Announced
from tests.engine.world import World


def client(person: int) -> Client:
    return Client("central1:a", World().open().session, person, "key", {"language": "en"}, 0.0, "chat.example")


@pytest.mark.parametrize(("person", "heard"), [(7, [True, False]), (0, [True, True])])
def test_it_is_said_once_a_person(person: int, heard: list[bool]) -> None:
    coming = Announced(lambda: {"version": "8.2", "from": time.time() + 86_400})
    assert [bool(coming.sentence(client(person))) for _ in range(2)] == heard


def test_another_version_is_said_again_and_one_that_holds_is_not() -> None:
    told = {"version": "8.2", "from": time.time() + 86_400}
    coming = Announced(lambda: told)
    assert "chat.example" in coming.sentence(client(7))
    told = {"version": "8.3", "from": time.time() + 86_400}
    assert coming.sentence(client(7))
    told = {"version": "8.4", "from": time.time() - 1}
    assert not coming.sentence(client(7))
    assert not Announced(lambda: None).sentence(client(7))


def test_a_bounded_number_of_people_is_remembered() -> None:
    coming = Announced(lambda: {"version": "8.2", "from": time.time() + 86_400})
    first = client(1)
    assert coming.sentence(first)
    for person in range(2, TOLD_MAX + 2):
        first.person = person
        coming.sentence(first)
    first.person = 1
    assert coming.sentence(first)
