"""Country of an address: two letters or none; private ranges have none; an operator's file is read in its usual spellings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.data.records.address_country import Countries
from server.ops import log
from server.ops.config.settings import Log

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


def part(kind: int, value: bytes, size: int | None = None) -> bytes:
    """A field of the MaxMind DB format, 2.0: its control byte or bytes, and its value."""
    size = len(value) if size is None else size
    return (bytes((kind << 5 | size,)) if kind < 8 else bytes((size, kind - 7))) + value


def text(value: str) -> bytes:
    return part(2, value.encode())


def mmdb(data: bytes, points_to: int = 0) -> bytes:
    """A file of one node, which sends every address to `points_to` in `data`."""
    pair = (1 + 16 + points_to).to_bytes(3, "big")
    fields = {
        "node_count": part(6, b"\x01"), "record_size": part(5, b"\x18"), "ip_version": part(5, b"\x04"),
        "database_type": text("test"), "languages": part(11, b"", 0), "binary_format_major_version": part(5, b"\x02"),
        "binary_format_minor_version": part(5, b""), "build_epoch": part(9, b"\x01"), "description": part(7, b"", 0),
    }  # fmt: skip
    head = part(7, b"".join(text(name) + value for name, value in fields.items()), len(fields))
    return pair + pair + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + head


NORWAY = part(7, text("country_code") + text("NO"), 1)


def test_an_operator_s_file_that_is_damaged_within_costs_the_country_and_nothing_else(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log.configure(Log(), strict=True)
    file = tmp_path / "countries.mmdb"
    file.write_bytes(mmdb(NORWAY))
    assert Countries(str(file)).find("8.8.8.8") == "NO"
    file.write_bytes(mmdb(NORWAY, points_to=5_000))
    damaged = Countries(str(file))
    assert [damaged.find("8.8.8.8"), damaged.find("9.9.9.9")] == [None, None]
    assert log.sink().flush(10)
    assert capfdbinary.readouterr().err.count(b"store.countries_damaged") == 1


@pytest.mark.parametrize("body", [b"", b"no mmdb file" * 100, None])
def test_a_file_that_is_none_is_an_error_of_one_line_that_names_the_setting(tmp_path: Path, body: bytes | None) -> None:
    file = tmp_path / "countries.mmdb"
    if body is not None:
        file.write_bytes(body)
    with pytest.raises(ValueError, match=r"store\.country_file: .*countries\.mmdb"):
        Countries(str(file))
