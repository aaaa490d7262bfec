"""The service carries the loads without an error, the report is made from results, and what got worse is found."""

from pathlib import Path
from typing import Any

import pytest

from bench.load.people import Taste, shape
from bench.server import compare, report, servers, whole
from bench.server.profile import drawn, folded


@pytest.mark.timeout(120)
@pytest.mark.parametrize("words", [("relay", "-n", "40", "-d", "4"), ("chat", "-n", "20"), ("chat", "-n", "40", "-k")])
def test_the_service_carries_a_load_without_an_error(words: tuple[str, ...]) -> None:
    scenario = whole.Scenario("test", words, "chat_us" if words[0] == "chat" else "cpu_s_per_M", "")
    found = whole.one(servers.build_load(), scenario, servers.serendip(), 0.3)
    assert found["errors"] == 0
    assert found["messages"] > 0


def test_people_who_wait_are_all_there_and_cost_memory() -> None:
    scenario = whole.Scenario("test", ("wait", "-n", "200"), "bytes", "")
    found = whole.one(servers.build_load(), scenario, servers.serendip(), 0.2)
    assert found["ready"] == found["open"] == 200


def document(cost: float) -> dict[str, Any]:
    rows = {
        "serendip": {
            "cpu_s_per_M": cost,
            "to_floor": cost / 6,
            "messages_s": 1.0,
            "p50_us": 1.0,
            "p99_us": 2.0,
            "p999_us": 3.0,
        }
    }
    return {
        "machine": {"cpu": "test", "cores": 2, "python": "3", "load": 0.0},
        "rounds": 1,
        "seconds": 1.0,
        "scenarios": {"relay": {"figure": "cpu_s_per_M", "words": "pairs", "servers": rows}},
    }


def test_what_costs_more_than_before_is_found_and_noise_is_not() -> None:
    assert compare.worse(document(6.0), document(6.6)) == []
    assert compare.worse(document(6.0), document(9.0)) == ["relay: to_floor 1 -> 1.5"]
    assert compare.heavier({"instructions": {"a message": 1000.0}}, {"instructions": {"a message": 1030.0}})
    assert not compare.heavier({"instructions": {"a message": 1000.0}}, {"instructions": {"a message": 1010.0}})


def test_a_document_s_figures_stand_between_its_marks_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measure -->\nafter\n")
    report.fill(page, "measure", "one\n")
    report.fill(page, "measure", report.summary(document(6.0)))
    assert page.read_text().startswith("before\n<!-- measure -->\n| server |")
    assert page.read_text().endswith("<!-- /measure -->\nafter\n")
    assert "one" not in page.read_text().split("\n")


def test_interests_follow_zipf_and_are_the_same_for_a_seed() -> None:
    one, two = Taste(1), Taste(1)
    found = [one.interests() for _ in range(500)]
    assert found == [two.interests() for _ in range(500)]
    first = sum("interest 0" in wish for wish in found)
    rare = sum("interest 1000" in wish for wish in found)
    assert first > 20 * max(1, rare) / 2
    assert all(1 <= len(wish) <= 10 for wish in found)


def test_the_shapes_rise_fall_and_end() -> None:
    assert [shape("rush", part, 100, 5)[0] for part in (0.0, 0.5, 0.9)] == [20, 200, 30]  # type: ignore[index]
    assert shape("storm", 0.41, 100, 5) == (0, 500)
    assert shape("storm", 0.5, 100, 5) == (100, 100)
    assert shape("steady", 1.0, 100, 5) is None


def test_a_flame_graph_holds_the_frames_that_were_seen() -> None:
    loop = "run (uvloop/__init__.py:92);Handle__run (loop.c:70906);"
    raw = (
        f"{loop}_ready (server/worker/worker.py:89);drain (ext/reactor.cpython-311-x86_64-linux-gnu.so);send (libc.so.6);0x7f 3\n"
        f"{loop}_ready (server/worker/worker.py:90) 1\n"
        "run (uvloop/__init__.py:92);uv__io_poll (linux.c:1452);epoll_pwait (libc.so.6);0x7f 50\n"
        "_worker (concurrent/futures/thread.py:81);PyThread_acquire_lock_timed (libpython3.11.so.1.0);0x7f 60\n"
    )
    stacks = folded(raw)
    ready = "_ready (server/worker/worker.py)"
    assert stacks == {(ready, "drain (ext/reactor)", "send (libc.so.6)"): 3, (ready,): 1}
    assert f"{ready} 100.0%" in drawn(stacks)
    assert "drain (ext/reactor) 75.0%" in drawn(stacks)
