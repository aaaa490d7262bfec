"""Provide a service with whole backups, for the tests of this folder."""

from __future__ import annotations

import pytest

from tests.server.data.conftest import Kit
from tests.server.data.whole_backups import Case, new_case


@pytest.fixture
def case(kit: Kit, url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Case:
    """Backups in a folder."""
    return new_case(kit, url, tmp_path_factory, request)
