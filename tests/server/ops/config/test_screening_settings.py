"""Settings of the screening of text."""

import pytest
from pydantic import ValidationError

from server.ops.config.screening_settings import Screening


@pytest.mark.parametrize("size", ["100KB", "32KiB", "5MiB", "512MiB"])
def test_a_ring_is_a_power_of_two_within_bounds(size: str) -> None:
    assert Screening.model_validate({"ring": "64KiB"}).ring == 64 * 1024
    with pytest.raises(ValidationError):
        Screening.model_validate({"ring": size})
