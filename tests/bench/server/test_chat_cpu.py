"""A chat's cost is counted until its record is written."""

import pytest

from bench.server import chat_cpu, servers
from bench.server import peer_comparison as whole


@pytest.mark.timeout(120)
def test_a_run_ends_when_nothing_waits_any_more() -> None:
    with servers.running(servers.SERENDIP) as (port, pid, metrics):
        before = chat_cpu.scraped(metrics)
        found = chat_cpu.run(["chat", "-n", "20", "-k", "-t", "0.3", "-P", str(pid)], port, pid, metrics, whole.PINNED)
        after = chat_cpu.scraped(metrics)
    ended = chat_cpu.chats(after) - chat_cpu.chats(before)
    assert ended >= found["chats"] > 0
    assert after["serendip_store_written_total"] == ended
    assert found["chat_us"] == pytest.approx(found["user_us"] + found["system_us"] + found["beside_us"])
    assert found["connects_a_chat"] == pytest.approx(20 / ended)
    assert found["window_us"] > 0


def test_records_that_were_lost_are_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_cpu, "scraped", lambda _: {chat_cpu.WAITING: 0.0, chat_cpu.LOST: 3.0})
    monkeypatch.setattr(chat_cpu, "times", lambda _: (0.0, 0.0))
    with pytest.raises(RuntimeError, match="3 records were lost"):
        chat_cpu.all_written(0, 0)
    monkeypatch.setattr(chat_cpu, "scraped", lambda _: {chat_cpu.WAITING: 2.0, chat_cpu.LOST: 0.0})
    with pytest.raises(RuntimeError, match="2 records still wait"):
        chat_cpu.all_written(0, 0, patience=0.0)
