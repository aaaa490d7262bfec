"""Processes have their part of the table; what they are called is nobody's from outside."""

from server.ops.config.settings import Settings
from server.ops.metrics.ipc_metrics import DEATHS, MATCHES, PROCESSES
from server.ops.metrics.metric_table import METRICS, VALUES


def test_all_of_a_process_is_in_the_table_once() -> None:
    assert [metric.name for metric in METRICS if metric in PROCESSES] == [metric.name for metric in PROCESSES]


def test_what_a_process_is_told_apart_by_is_its_name_and_there_are_few() -> None:
    labels = {label for metric in PROCESSES for label in metric.labels}
    assert labels == {"process", "why", "result"}
    assert VALUES["serendip_deaths"]["why"] == DEATHS
    assert VALUES["serendip_hub_matches"]["result"] == MATCHES
    assert Settings(workers=64).workers == 64
    assert [made for made in (65, 0) if _is_taken(made)] == []


def _is_taken(workers: int) -> bool:
    try:
        Settings(workers=workers)
    except ValueError:
        return False
    return True


def test_the_bound_of_a_slow_hub_is_one_of_its_buckets() -> None:
    (answers,) = (metric for metric in PROCESSES if metric.name == "serendip_hub_answer_seconds")
    assert 0.05 in answers.buckets
    assert tuple(sorted(set(answers.buckets))) == answers.buckets
