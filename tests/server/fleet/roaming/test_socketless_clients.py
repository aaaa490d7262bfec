"""Where nobody has another protocol than ours nobody is spoken for, and everybody may go."""

from server.fleet.roaming.socketless_clients import NO_SOCKETLESS_CLIENTS


def test_where_nobody_speaks_for_others_all_may_go_as_they_are() -> None:
    assert NO_SOCKETLESS_CLIENTS.ready(7)
    assert not NO_SOCKETLESS_CLIENTS.leaves(7)
    assert NO_SOCKETLESS_CLIENTS.goes(7) == -1
