"""What is held and not in a backup; the whole way is in test_restoring.py."""

from server.data.backup.rows_held_since import joined


def test_of_two_rows_with_the_same_keys_the_first_stays() -> None:
    kept = [{"chat": b"1", "side": 0, "address": b"kept"}]
    more = [{"chat": b"1", "side": 0, "address": b"new"}, {"chat": b"1", "side": 1, "address": b"other"}]
    assert joined(kept, more, "chat", "side") == [*kept, more[1]]
