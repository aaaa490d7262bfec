"""The store's fixtures, for what people ask of their own data."""

import pytest

from server.privacy import statement
from tests.server.store.conftest import bucket, cluster, kit, object_settings, url

__all__ = ["bucket", "cluster", "kit", "object_settings", "url"]


@pytest.fixture(autouse=True)
def statement_is_read() -> None:
    """As the service has it from its start on: no file is read in the loop."""
    statement.history()
