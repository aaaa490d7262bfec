"""Check the form in which the source of a connection is kept, and that its address is found with and without a port."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.connection_source import SourceEndpoint
from server.data.keys.pseudonyms import Pseudonyms, open_pseudonyms
from server.ops.security import secret_keys

EPOCH = 690


@pytest.fixture
def pseudonyms(tmp_path: Path) -> Pseudonyms:
    return open_pseudonyms(secret_keys.load(tmp_path), tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        SourceEndpoint("192.0.2.1"),
        SourceEndpoint("192.0.2.1", 54321),
        SourceEndpoint("2001:db8::1", 54321, 1_795_000_000),
        SourceEndpoint("192.0.2.1", 0, 1_795_000_000),
    ],
)
def test_a_text_gives_back_what_it_was_made_of(source: SourceEndpoint) -> None:
    assert SourceEndpoint.of(source.text) == source


@pytest.mark.parametrize("text", ["192.0.2.1 x", "192.0.2.1 -1", "192.0.2.1  ", "192.0.2.1 " + "9" * 30])
def test_what_is_no_number_counts_as_unknown(text: str) -> None:
    assert SourceEndpoint.of(text) == SourceEndpoint("192.0.2.1")


@pytest.mark.blocking
def test_the_port_is_sealed_with_the_address_and_the_hash_is_the_address_s_alone(pseudonyms: Pseudonyms) -> None:
    for derive, open_ in (
        (lambda text: pseudonyms.live(EPOCH, 7, text), pseudonyms.live_address),
        (lambda text: pseudonyms.kept(7, text), pseudonyms.kept_address),
        (lambda text: pseudonyms.safety(7, text), pseudonyms.safety_address),
    ):
        _, bare, mac = derive("::ffff:192.0.2.1")
        _, sealed, same = derive("::ffff:192.0.2.1 54321")
        assert mac == same
        assert open_(bare or b"") == SourceEndpoint("192.0.2.1"), "as rows of earlier versions are"
        assert open_(sealed or b"") == SourceEndpoint("192.0.2.1", 54321)
        assert b"54321" not in (sealed or b"")


@pytest.mark.blocking
def test_a_held_row_keeps_its_port(pseudonyms: Pseudonyms) -> None:
    _, sealed, _ = pseudonyms.live(EPOCH, 7, "192.0.2.1 54321")
    assert pseudonyms.kept_address(pseudonyms.reseal(sealed) or b"") == SourceEndpoint("192.0.2.1", 54321)
