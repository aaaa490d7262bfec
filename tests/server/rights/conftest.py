"""The store's fixtures, for what moderation keeps."""

from tests.server.store.conftest import bucket, cluster, kit, object_settings, url

__all__ = ["bucket", "cluster", "kit", "object_settings", "url"]
