"""The store's fixtures, for what moderation keeps."""

from tests.server.store.conftest import kit, object_settings, url

__all__ = ["kit", "object_settings", "url"]
