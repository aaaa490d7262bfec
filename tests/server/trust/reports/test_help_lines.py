"""Test help lines by country, from the built-in file or an operator's."""

from pathlib import Path

import pytest

from engine.engine import Session
from server.trust.reports.help_lines import Help


def test_our_own_list_has_numbers_of_the_country_and_a_directory_everywhere() -> None:
    ours = Help(find_country={"192.0.2.2": "DE", "192.0.2.3": "KE"}.get)
    anywhere = ours.of("192.0.2.1")
    assert [entry["url"] for entry in anywhere] == ["https://findahelpline.com"]
    assert [entry.get("call") for entry in ours.of("192.0.2.2")] == ["112", "0800 1110111", None]
    assert ours.of("192.0.2.3") == anywhere


@pytest.mark.parametrize("country", ["AE", "BR", "DE", "EG", "ES", "FR", "GB", "JP", "NO", "PT", "RU", "US"])
def test_each_language_of_the_page_has_a_country_with_an_emergency_number_and_a_line(country: str) -> None:
    found = Help(find_country=lambda _: country).of("192.0.2.1")
    assert len([entry for entry in found if "call" in entry]) >= 2


def test_an_operators_file_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "help.toml"
    file.write_text('[[JP]]\nname = "よりそい"\ncall = "0120 279 338"\n')
    assert Help(str(file), lambda _: "JP").of("x") == [{"name": "よりそい", "call": "0120 279 338"}]
    assert Help(str(file)).of("x") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[Germany]]\nname = 'x'\ncall = '1 1'", "Germany"),
        ("[[DE]]\ncall = '112'", "DE"),
        ("[[DE]]\nname = 'x'", "DE"),
        ("[[DE]]\nname = 'x'\nurl = 'javascript:alert(1)'", "DE"),
        ("[[DE]]\nname = 'x'\nurl = 'http://x.example'", "DE"),
        ("[[DE]]\nname = 'x'\ncall = 'mother'", "DE"),
        ("[[DE]]\nname = 'x'\ncall = 112", "DE"),
        ("[[DE]]\nname = 'x'\ncall = '112'\nmore = '1'", "DE"),
        ("DE = 'x'", "DE"),
        ("[[DE]\n", "help.toml"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "help.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=says) as raised:
        Help(str(file))
    assert str(file) in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"safety\.help_file"):
        Help(str(tmp_path / "none.toml"))


def test_whom_to_call_is_told_with_danger_alone() -> None:
    session = Session(1, 2, 0, "192.0.2.1")
    told = Help().facts(120)
    assert told(session, "spam") == {"kept": 120}
    assert told(session, "danger") == {"kept": 120, "help": Help().of("192.0.2.1")}
    assert Help().facts(0)(session, "other") == {}
