"""Metrics of what hosts ask and tell each other are part of the table, and what counts them counts no other."""

from collections.abc import Mapping

import pytest

from server.fleet.frontend.cluster_broadcast import Telling
from server.fleet.ipc.process_names import Names
from server.fleet.roaming.session_search import Seeking
from server.ops.metrics.broadcast_metrics import SOUGHT, TOLD, TOLD_METRICS, TOLD_VALUES
from server.ops.metrics.metric_table import METRICS, VALUES


def nothing(*_: object) -> None:
    """Is to be said."""


def test_they_stand_in_the_table_in_their_order() -> None:
    assert [metric for metric in METRICS if metric in TOLD_METRICS] == list(TOLD_METRICS)
    assert all(VALUES[name] == values for name, values in TOLD_VALUES.items())


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (
            Seeking("0" * 10, Names(), nothing, nothing, list, nothing).reading(),
            {"serendip_sought": {(one,): 0 for one in SOUGHT}},
        ),
        (Telling("0" * 10, nothing, nothing, nothing).reading(), {"serendip_told": {(one,): 0 for one in TOLD}}),
    ],
)
def test_they_begin_at_nought(reading: Mapping[str, object], expected: Mapping[str, object]) -> None:
    assert reading == expected
