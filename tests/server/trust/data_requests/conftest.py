"""The fixtures of the rights over one's own data."""

from tests.server.trust.rights.conftest import server, statement_is_read

__all__ = ["server", "statement_is_read"]
