"""Newcomers turned away are told in the log once, and once when it is over."""

from structlog.testing import capture_logs

from server.realtime.worker.shortage_log import QUIET, ShortageLog


def test_a_shortage_is_told_when_it_begins_and_when_it_is_over() -> None:
    shortage = ShortageLog()
    with capture_logs() as said:
        shortage.look(0, 0.0)
        assert said == []
        for second in range(1, 30):
            shortage.look(second * 10, float(second))
        shortage.look(290, 29.0 + QUIET - 1)
        assert [entry["event"] for entry in said] == ["server.short"]
        shortage.look(290, 29.0 + QUIET)
        assert said[1:] == [{"event": "server.short_over", "count": 290, "log_level": "warning"}]
        shortage.look(291, 200.0)
        assert [entry["event"] for entry in said][2:] == ["server.short"]
