"""The store's fixtures, for the purge, the holds and the erasure list."""

from tests.server.data.conftest import kit, object_settings, url

__all__ = ["kit", "object_settings", "url"]
