"""The console of the tests."""

from tests.server.trust.console.conftest import console

__all__ = ["console"]
