"""Check that a country's code that no table of addresses has is refused at the start."""

import pytest
from pydantic import ValidationError

from server.ops.config.country_codes import CODES
from server.ops.config.settings import Settings


def test_codes_are_taken_in_small_letters_and_as_a_list_with_commas() -> None:
    settings = Settings.model_validate({"safety": {"refused_countries": "gb, NO"}})
    assert settings.safety.refused_countries == ("GB", "NO")


@pytest.mark.parametrize(
    ("code", "said"), [("UK", "for UK write GB"), ("England", "two letters"), ("ZZ", "two letters")]
)
def test_a_code_that_is_no_country_s_is_refused_with_what_is_meant(code: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate({"safety": {"refused_countries": [code]}})


def test_there_are_all_countries_of_the_standard() -> None:
    assert len(CODES) == 250, "249 of ISO 3166-1, and Kosovo"
