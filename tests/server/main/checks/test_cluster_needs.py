"""A host among others that would have a database of its own does not start, and `serendip check` says why before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.main.checks import cluster_needs
from server.main.checks.check_finding import Level
from server.main.checks.local_checks import local
from server.ops.config.settings import Settings
from tests.server.ops.process.test_unix_user_switch import serendip

HOST = {"nats": "tls://nats.internal:4222", "address": "10.0.0.1:9467"}
SHARED = {"store": {"url": "postgresql://db/serendip"}, "objects": {"url": "s3://bucket"}}


def said(**chosen: Any) -> list[str]:
    """What is wrong."""
    return [said for said, _ in cluster_needs.unfit(Settings.model_validate(chosen))]


def test_a_host_alone_may_have_what_it_likes() -> None:
    assert said() == []
    assert said(**SHARED) == []


def test_hosts_with_all_in_common_are_well_and_so_are_those_that_keep_nothing() -> None:
    assert said(cluster=HOST, **SHARED) == []
    assert said(cluster=HOST, store={"enabled": False}) == []


def test_what_only_one_host_would_have_is_named() -> None:
    assert [words.split(", and ")[1].split(",")[0] for words in said(cluster=HOST)] == [
        "the database is SQLite",
        "the texts of saved chats lie in a folder",
    ]
    (words,) = said(cluster={"nats": "nats://a"}, **SHARED)
    assert words == "cluster.nats is set, and cluster.address is not"
    found = [one for one in local(Settings.model_validate({"cluster": HOST})) if one.check == "cluster"]
    assert [one.level for one in found] == [Level.ERROR, Level.ERROR]
    assert all(one.remedy for one in found)
    (alone,) = [
        one
        for one in local(Settings.model_validate({"cluster": {"address": "10.0.0.1:9467"}}))
        if one.check == "cluster"
    ]
    assert (alone.level, alone.said) == (
        Level.WARNING,
        "cluster.address is set, and cluster.nats is not: this host is alone",
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SERENDIP_CLUSTER__NATS": "nats://127.0.0.1:1"}, "cluster.address is not"),
        ({"SERENDIP_CLUSTER__NATS": "nats://127.0.0.1:1", "SERENDIP_CLUSTER__ADDRESS": "10.0.0.1:9467"}, "SQLite"),
        (
            {"SERENDIP_CLUSTER__NATS": "nats://127.0.0.1:1", "SERENDIP_CLUSTER__ADDRESS": "8.8.8.8:9467"},
            "public address",
        ),
        (
            {
                "SERENDIP_CLUSTER__NATS": "nats://127.0.0.1:1",
                "SERENDIP_CLUSTER__ADDRESS": "192.168.255.254:9467",
                "SERENDIP_STORE__ENABLED": "false",
            },
            "cannot listen on 192.168.255.254:9467: Cannot assign requested address",
        ),
    ],
)
def test_the_start_ends_with_one_line_that_says_what_to_do(
    tmp_path: Path, environment: dict[str, str], words: str
) -> None:
    before = ["env", *(f"{name}={value}" for name, value in environment.items())]
    told = serendip(before, "serve", "--port", "0", "--data", str(tmp_path))
    assert told.returncode in (1, 2)
    (line,) = [line for line in told.stderr.splitlines() if not line.startswith("{")]
    assert words in line
    assert "Traceback" not in told.stderr
