"""Settings of several hosts: what cannot be meant is told in words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from server.ops.config.cluster_settings import Cluster
from server.ops.config.setting_sources import SettingsError, load


def test_alone_by_default() -> None:
    assert Cluster().nats == ()


@pytest.mark.parametrize("address", ["10.0.0.1:9467", "127.0.0.1:1", "[fd00::1]:9467", "192.168.1.2:65535", ""])
def test_an_address_of_a_private_network_will_do(address: str) -> None:
    assert Cluster(address=address).address == address


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:x", "host:9467", "fd00::1:9467", "[10.0.0.1]:9467", "0.0.0.0:9467", "[::]:9467",
        ":9467",
    ],
)  # fmt: skip
def test_what_is_no_address_and_port_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="an address and a port are wanted"):
        Cluster(address=address)


@pytest.mark.parametrize("address", ["8.8.8.8:9467", "[2606:4700::1]:9467"])
def test_a_public_one_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="public address"):
        Cluster(address=address)


def test_several_servers_of_nats_in_one_line() -> None:
    given = Cluster.model_validate({"nats": "nats://a:4222, tls://b"})
    assert given.nats == ("nats://a:4222", "tls://b")


@pytest.mark.parametrize("url", ["a:4222", "http://a", "nats://", "nats://user:word@a", "nats://a/b"])
def test_what_is_no_server_of_nats_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="nats:// or tls://"):
        Cluster(nats=(url,))


@pytest.mark.parametrize("name", ["", "A", "a.b", "a b", ">", "*", "a" * 33])
def test_a_name_is_a_part_of_a_subject(name: str) -> None:
    with pytest.raises(ValidationError, match="small letters"):
        Cluster(name=name)
    with pytest.raises(ValidationError, match="small letters"):
        Cluster(id=name)


def test_the_id_of_a_cluster_has_its_earlier_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERENDIP_CLUSTER__CELL", "blue")
    assert load().settings.cluster.id == "blue"
    monkeypatch.delenv("SERENDIP_CLUSTER__CELL")
    monkeypatch.setenv("SERENDIP_CLUSTER__ID", "green")
    assert load().settings.cluster.id == "green"
    monkeypatch.setenv("SERENDIP_CLUSTER__CELL", "blue")
    with pytest.raises(SettingsError, match="earlier name"):
        load()
