"""What goes into the waiting room."""

from engine.matching.tickets import Pool, Room, Ticket


def test_a_pool_of_nothing_said_is_text_between_strangers_in_english() -> None:
    assert Pool() == ("text", "en", "stranger", "")


def test_a_new_ticket_waits_nowhere_and_wants_a_good_overlap() -> None:
    ticket = Ticket(1, Pool())
    assert (ticket._handle, ticket._level, ticket._due) == (-1, 0, None)


def test_rooms_of_one_family_know_each_other() -> None:
    family: list[Room] = []
    rooms = [Room(Pool(language=language), number, family) for number, language in enumerate(("en", "de"))]
    family += rooms
    assert rooms[0].family is rooms[1].family
