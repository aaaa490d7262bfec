"""The store's fixtures, for the purge, the holds and the erasure list."""

from tests.server.store.conftest import bucket, cluster, kit, object_settings, url

__all__ = ["bucket", "cluster", "kit", "object_settings", "url"]
