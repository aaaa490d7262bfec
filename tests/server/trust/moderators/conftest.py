"""The console of the tests."""

from tests.server.trust.console.conftest import console, live

__all__ = ["console", "live"]
