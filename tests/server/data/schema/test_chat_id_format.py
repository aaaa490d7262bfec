"""An id of a chat says when the chat ended, so that ids sort by time and lie in the partition of their day."""

from server.data.schema.chat_id_format import DAY, bound, chat_ids, day_of, ended_at


def test_an_id_holds_its_time_and_no_two_are_alike() -> None:
    at = 1_795_536_300.25
    ids = {*map(bytes, chat_ids([at] * 100))}
    assert len(ids) == 100
    assert {ended_at(id) for id in ids} == {at}
    assert {len(id) for id in ids} == {16}


def test_ids_sort_by_time_and_a_bound_parts_them() -> None:
    before, after = chat_ids([999.999, 1000.0])
    assert before < bound(1000.0) <= after
    assert bound(-5.0) == bytes(16)


def test_a_day_is_a_utc_day() -> None:
    assert (day_of(DAY - 0.5), day_of(DAY)) == (0, 1)
