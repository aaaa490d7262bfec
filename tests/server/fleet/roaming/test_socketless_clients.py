"""Where nobody has another protocol than ours nobody is spoken for, and everybody may go."""

from server.fleet.roaming.socketless_clients import NOBODY_SPEAKS


def test_where_nobody_speaks_for_others_all_may_go_as_they_are() -> None:
    assert NOBODY_SPEAKS.ready(7)
    assert not NOBODY_SPEAKS.leaves(7)
    assert NOBODY_SPEAKS.goes(7) == -1
