"""Sums over the processes of a host never fall, whoever is silent, dies or is new; what is now goes with who has it."""

from server.fleet.frontend.process_figures import MetricSums
from server.ops.metrics.exposition import MetricsBoard
from server.ops.metrics.histogram import Buckets

EMPTY = [0] * 11


def shown(ledger: MetricSums) -> dict[str, object]:
    """What the board makes of it, series without labels by their name alone."""
    board = MetricsBoard()
    board.put_others(ledger.readings())
    return {name: series[()] if list(series) == [()] else series for name, series in board.read().items()}


def test_what_who_died_had_counted_is_carried_on_and_what_it_had_is_gone() -> None:
    ledger = MetricSums(begun=5)
    waits = {("text",): Buckets([1] * 17, 9.0)}
    for name, count in (("worker 1", 7), ("worker 2", 4)):
        read = {"serendip_messages": {(): count}, "serendip_connections": {(): 2}, "serendip_match_wait_seconds": waits}
        ledger.told(name, 6, read)
    ledger.dead("worker 1")
    found = shown(ledger)
    assert (found["serendip_messages"], found["serendip_connections"]) == (11, 2)
    assert found["serendip_match_wait_seconds"] == {("text",): Buckets([2] * 17, 18.0)}
    ledger.told("worker 1", 7, {"serendip_messages": {(): 1}})
    assert shown(ledger)["serendip_messages"] == 12


def test_of_who_is_older_than_the_frontend_counts_what_came_since() -> None:
    ledger = MetricSums(begun=5)
    seconds = {("meet", "descriptor"): Buckets([3, *EMPTY[1:]], 1.0)}
    ledger.told(
        "worker 1",
        4,
        {"serendip_messages": {(): 100}, "serendip_connections": {(): 2}, "serendip_migration_seconds": seconds},
    )
    found = shown(ledger)
    assert (found["serendip_messages"], found["serendip_connections"]) == (0, 2)
    assert found["serendip_migration_seconds"] == {("meet", "descriptor"): Buckets(EMPTY, 0.0)}
    ledger.told("worker 1", 4, {"serendip_messages": {(): 130}})
    assert shown(ledger)["serendip_messages"] == 30
    ledger.dead("worker 1")
    assert shown(ledger)["serendip_messages"] == 30


def test_who_was_forked_with_the_frontend_or_after_it_counts_whole() -> None:
    ledger = MetricSums(begun=5)
    ledger.told("hub", 5, {"serendip_messages": {(): 3}})
    ledger.told("worker 1", 6, {"serendip_messages": {(): 4}})
    assert shown(ledger)["serendip_messages"] == 7


def test_what_is_told_apart_by_process_is_as_that_one_says() -> None:
    ledger = MetricSums(begun=5)
    ledger.told("worker 1", 4, {"serendip_process_cpu_seconds": {("worker 1",): 8.0}})
    assert shown(ledger) == {"serendip_process_cpu_seconds": {("worker 1",): 8.0}}
    ledger.dead("worker 1")
    assert shown(ledger) == {}
    ledger.told("worker 1", 9, {"serendip_process_cpu_seconds": {("worker 1",): 0.5}})
    assert shown(ledger) == {"serendip_process_cpu_seconds": {("worker 1",): 0.5}}


def test_what_fits_no_declaration_is_left_out_and_counted() -> None:
    ledger = MetricSums(begun=5)
    ledger.told(
        "worker 1",
        6,
        {
            "serendip_messages": {(): 3},
            "serendip_unheard_of": {(): 1},
            "serendip_typing": {("loud",): 1},  # a label that it has not
            "serendip_signals": {(): Buckets([1], 1.0)},  # it is no histogram
            "serendip_relay_seconds": {(): Buckets([1], 1.0)},  # of other bounds
        },
    )
    assert (shown(ledger), ledger.unknown) == ({"serendip_messages": 3}, 4)


def test_who_never_said_anything_may_die() -> None:
    ledger = MetricSums(begun=5)
    ledger.dead("worker 1")
    assert shown(ledger) == {}
