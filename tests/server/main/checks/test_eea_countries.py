"""Which countries are in the European Economic Area."""

import pytest

from server.main.checks.eea_countries import EEA


def test_thirty_countries_have_a_code_and_a_name() -> None:
    assert len([name for name in EEA if len(name) == 2 and name != "eu"]) == 30


@pytest.mark.parametrize("name", ["norway", "no", "germany", "iceland", "the netherlands"])
def test_a_country_of_it_is_found(name: str) -> None:
    assert name in EEA


@pytest.mark.parametrize("name", ["", "switzerland", "ch", "gb", "united kingdom", "us", "brazil"])
def test_others_are_not(name: str) -> None:
    assert name not in EEA
