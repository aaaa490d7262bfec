"""What is sent of a table is cut into messages. What becomes of them stands in `test_told`."""

from server.fleet.frontend.ban_and_notice_broadcast import pieces


def test_there_is_one_piece_at_least_and_the_first_and_the_last_say_so() -> None:
    assert list(pieces([], 2)) == [(True, True, [])]
    keys = [b"1", b"2", b"3", b"4"]
    assert list(pieces(keys, 2)) == [(True, False, keys[:2]), (False, True, keys[2:])]
    assert list(pieces(keys, 3)) == [(True, False, keys[:3]), (False, True, keys[3:])]
