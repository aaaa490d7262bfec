"""A chat's cost is counted until its record is written."""

import pytest

from bench.server import servers, whole, written


@pytest.mark.timeout(120)
def test_a_run_ends_when_nothing_waits_any_more() -> None:
    with servers.running(servers.SERENDIP) as (port, pid, metrics):
        before = written.scraped(metrics)
        found = written.run(["chat", "-n", "20", "-k", "-t", "0.3", "-P", str(pid)], port, pid, metrics, whole.PINNED)
        after = written.scraped(metrics)
    ended = written.chats(after) - written.chats(before)
    assert ended >= found["chats"] > 0
    assert after["serendip_store_written_total"] == ended
    assert found["chat_us"] == pytest.approx(found["user_us"] + found["system_us"])
    assert found["connects_a_chat"] == pytest.approx(20 / ended)
    assert found["window_us"] > 0


def test_records_that_were_lost_are_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "scraped", lambda _: {written.WAITING: 0.0, written.LOST: 3.0})
    monkeypatch.setattr(written, "times", lambda _: (0.0, 0.0))
    with pytest.raises(RuntimeError, match="3 records were lost"):
        written.all_written(0, 0)
    monkeypatch.setattr(written, "scraped", lambda _: {written.WAITING: 2.0, written.LOST: 0.0})
    with pytest.raises(RuntimeError, match="2 records still wait"):
        written.all_written(0, 0, patience=0.0)
