"""A process of one host alone has no tunnels, and nobody needs to ask."""

import pytest

from server.worker.tunnelling import NO_TUNNELS, Leaving


def test_where_there_are_none_none_go_and_none_come() -> None:
    assert len(NO_TUNNELS) == 0
    assert list(NO_TUNNELS.release(5)) == []
    NO_TUNNELS.turn_out(lambda: 1.0)
    with pytest.raises(NotImplementedError):
        NO_TUNNELS.take(Leaving([], b"", -1, -1))
