"""The bench of motion counts the work of the page's main thread alone, and says what falls short."""

from typing import Any

from bench.page.motion import Work, falls_short, work_of

MAIN, OTHER = {"pid": 7, "tid": 1}, {"pid": 7, "tid": 2}


def task(thread: dict[str, int], ms: float, **more: Any) -> dict[str, Any]:
    """A task that took so long by the clock and, unless told otherwise, of a processor."""
    return {"name": "RunTask", "dur": 1000 * ms, "tdur": 1000 * ms, **thread, **more}


def test_tasks_of_the_main_thread_are_counted_by_their_time_of_a_processor() -> None:
    named = {"name": "thread_name", "args": {"name": "CrRendererMain"}, **MAIN}
    frame = {"name": "BeginMainThreadFrame", **MAIN}
    events = [named, task(MAIN, 12), task(MAIN, 400, tdur=51_000), task(MAIN, 3), task(OTHER, 90), frame, frame]
    assert work_of(events) == Work(tasks=3, longest=51.0, long=1, frames=2)
    assert work_of([task(OTHER, 90)]) == Work(0, 0.0, 0, 0)


def test_what_is_not_as_good_as_it_should_be_is_said() -> None:
    good = Work(tasks=900, longest=15.0, long=0, frames=20)
    assert falls_short([good], [40.0, 99.0, 400.0], {"360": [0.0, 0.02]}) == []
    assert len(falls_short([good._replace(longest=51.0, long=1)], [101.0, 120.0], {"360": [0.0, 0.021]})) == 3
