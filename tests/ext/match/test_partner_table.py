"""Compare the table of excluded partners with one in plain Python."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext.match.partner_table import PartnerTable

FOR = 10.0
PARTNERS = 3
PERSON = st.integers(0, 4)
MOVE = st.tuples(
    st.sampled_from(["note", "of", "lift", "forget", "leave", "copy", "enter"]),
    PERSON,
    st.integers(0, 6),
    st.floats(0, 4),
)


class Plain:
    """The same in Python, of any number of persons: expiry by partner of each, as they were noted."""

    def __init__(self) -> None:
        self.table: dict[int, dict[int, float]] = {}

    def note(self, person: int, partner: int, now: float) -> None:
        known = self.table.setdefault(person, {})
        known.pop(partner, None)
        known[partner] = now + FOR
        if len(known) > PARTNERS:
            del known[next(iter(known))]

    def of(self, person: int, now: float) -> tuple[int, ...]:
        return tuple(partner for partner, until in self.table.get(person, {}).items() if until > now)

    def left(self, person: int, now: float) -> list[tuple[int, float]]:
        return [(partner, until - now) for partner, until in self.table.get(person, {}).items() if until > now]

    def enter(self, person: int, partners: list[tuple[int, float]], now: float) -> None:
        known = self.table.get(person, {})
        for partner, seconds in partners:
            known[partner] = max(now + seconds, known.pop(partner, 0.0))
        self.table[person] = dict(sorted(known.items(), key=lambda row: row[1])[-PARTNERS:])


@given(st.lists(MOVE))
def test_it_excludes_what_a_table_in_python_does(moves: list[tuple[str, int, int, float]]) -> None:
    table, plain, now = PartnerTable(FOR, PARTNERS, 1_000), Plain(), 0.0
    for move, person, partner, seconds in moves:
        now += seconds
        if move == "note":
            table.note(person, partner, now)
            plain.note(person, partner, now)
        elif move == "lift":
            table.lift(person, partner)
            plain.table.get(person, {}).pop(partner, None)
        elif move == "forget":
            table.forget(person)
            plain.table.pop(person, None)
        elif move == "leave":
            assert table.leave(person, now, False) == plain.left(person, now)
            plain.table.pop(person, None)
        elif move == "copy":
            assert table.leave(person, now, True) == plain.left(person, now)
        elif move == "enter":
            table.enter(person, [(partner, seconds), (partner + 1, seconds + 1.0)], now)
            plain.enter(person, [(partner, seconds), (partner + 1, seconds + 1.0)], now)
        assert table.of(person, now) == plain.of(person, now)
    assert dict(table.rest(now)) == {person: left for person in range(5) if (left := plain.left(person, now))}


def test_the_oldest_persons_are_dropped_first_and_those_who_met_others_since_stay() -> None:
    table = PartnerTable(FOR, PARTNERS, 4)
    for person in range(4):
        table.note(person, 9, 0.0)
    table.note(2, 8, 1.0)
    for person in (5, 6):
        table.note(person, 9, 1.0)
    assert [person for person in range(7) if table.of(person, 1.0)] == [2, 3, 5, 6]


def test_persons_move_in_the_order_in_which_they_were_noted() -> None:
    noted = [person * 41 % 64 for person in range(64)]
    old, new = PartnerTable(FOR, PARTNERS, 1_000), PartnerTable(FOR, PARTNERS, 16)
    for person in noted:
        old.note(person, 99, 0.0)
    moved = list(old.rest(1.0))
    for person, partners in moved:
        new.enter(person, partners, 1.0)
    assert [person for person, _ in moved] == noted
    assert [person for person, _ in new.rest(1.0)] == noted[-16:]  # the person noted longest ago is dropped first


def test_persons_whose_time_is_over_are_dropped_two_at_a_time() -> None:
    table = PartnerTable(FOR, PARTNERS, 1_000)
    for person in range(10):
        table.note(person, 99, 0.0)
    for person in range(10, 15):
        table.note(person, 99, FOR + 1.0)
    assert len(table) == 5
    assert {person for person, _ in table.rest(FOR + 1.0)} == set(range(10, 15))


@pytest.mark.parametrize(("partners", "persons"), [(0, 1), (256, 1), (1, 0)])
def test_a_table_has_room(partners: int, persons: int) -> None:
    with pytest.raises(ValueError, match="room for"):
        PartnerTable(FOR, partners, persons)
