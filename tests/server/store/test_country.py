"""Country of an address: two letters or none; private ranges have none; an operator's file is read in its usual spellings."""

from __future__ import annotations

from typing import Any

import pytest

from server.store.country import Countries

NOWHERE = [
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "100.64.0.9", "169.254.1.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",
    "192.0.2.1", "198.18.0.1", "::1", "fe80::1%eth0", "fc00::1", "2001:db8::1", "", "unix", "1.2.3", "999.1.1.1", "::ffff:10.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", NOWHERE)
def test_an_address_of_nobody_has_no_country(address: str) -> None:
    assert Countries().find(address) is None


def test_a_public_address_has_one_in_every_spelling() -> None:
    countries = Countries()
    assert countries.find("8.8.8.8") == "US"
    assert countries.find("::ffff:8.8.8.8") == "US"
    assert countries.find("2001:4860:4860::8888") == "US"


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"country": {"iso_code": "NO"}}, "NO"),
        ({"country_code": "no"}, "NO"),
        ({"country": "NO"}, "NO"),
        ({"country": "Norway", "country_code": "NO"}, "NO"),
        ({"country": {"iso_code": "NOR"}}, None),
        ({"country": {"iso_code": 5}}, None),
        (None, None),
        ([], None),
    ],
)
def test_an_operator_s_file_is_read_in_its_usual_spellings(
    record: Any, code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class File:
        def get(self, _address: str) -> Any:
            return record

        def close(self) -> None:
            """Nothing to give back."""

    monkeypatch.setattr("maxminddb.open_database", lambda _path: File())
    countries = Countries("some.mmdb")
    assert countries.find("8.8.8.8") == code
    assert countries.find("10.0.0.1") is None
    countries.close()


def test_a_file_that_is_not_there_is_an_error_at_the_start() -> None:
    with pytest.raises(FileNotFoundError):
        Countries("no/such/file.mmdb")
