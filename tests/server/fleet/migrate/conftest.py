"""What the tests of a hand-over share."""

from pathlib import Path

import pytest

from server.security.keys import Keys, load


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    """Keys of a deployment."""
    return load(tmp_path)
