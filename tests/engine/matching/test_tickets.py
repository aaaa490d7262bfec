"""What goes into the waiting room."""

from engine.matching.tickets import NEVER, NO_HANDLE, Pool, Ticket


def test_a_pool_of_nothing_said_is_text_between_strangers_in_english() -> None:
    assert Pool() == ("text", "en", "stranger", "")


def test_a_new_ticket_waits_nowhere_and_wants_a_good_overlap() -> None:
    ticket = Ticket(1, Pool())
    assert (ticket._handle, ticket._level, ticket._due) == (NO_HANDLE, 0, NEVER)
