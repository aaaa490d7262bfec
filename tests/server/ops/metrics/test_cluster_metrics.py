"""Metrics of several hosts are part of the table, and their labels hold nothing from outside but versions."""

import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from server.fleet.frontend.cluster_broadcast import ClusterBroadcast
from server.fleet.ipc.process_names import Names
from server.fleet.roaming.session_search import SessionSearch
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import RpcServer
from server.ops.metrics.cluster_metrics import (
    CLUSTER,
    CLUSTER_VALUES,
    REFUSALS,
    SOUGHT,
    TOLD,
    TOLD_METRICS,
    TOLD_VALUES,
)
from server.ops.metrics.metric_table import METRICS, VALUES
from server.ops.security import secret_keys


def test_metrics_of_the_cluster_are_in_the_table_in_their_order() -> None:
    assert [metric for metric in METRICS if metric in CLUSTER] == list(CLUSTER)


def test_their_labels_are_few_and_known() -> None:
    assert {label for metric in CLUSTER for label in metric.labels} == {
        "state",
        "version",
        "way",
        "what",
        "why",
        "result",
    }
    assert all(VALUES[name] == values for name, values in CLUSTER_VALUES.items())


def test_a_port_counts_what_is_declared_and_from_nought_on(tmp_path: Path) -> None:
    with socket.socket() as sock:
        reading = RpcServer(sock, Seal(secret_keys.load(tmp_path)), "127.0.0.1:1", {}).reading()
    assert reading == {"serendip_cluster_refused": {(why,): 0 for why in REFUSALS}}


def nothing(*_: object) -> None:
    """Is to be said."""


def test_metrics_of_broadcasts_are_in_the_table_in_their_order() -> None:
    assert [metric for metric in METRICS if metric in TOLD_METRICS] == list(TOLD_METRICS)
    assert all(VALUES[name] == values for name, values in TOLD_VALUES.items())


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (
            SessionSearch("0" * 10, Names(), nothing, nothing, list, nothing).reading(),
            {"serendip_session_lookups": {(one,): 0 for one in SOUGHT}},
        ),
        (
            ClusterBroadcast("0" * 10, nothing, nothing, nothing).reading(),
            {"serendip_broadcasts": {(one,): 0 for one in TOLD}},
        ),
    ],
)
def test_they_begin_at_nought(reading: Mapping[str, object], expected: Mapping[str, object]) -> None:
    assert reading == expected
