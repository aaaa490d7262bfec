"""The fixtures of a host's processes, for what puts each of them together."""

from tests.server.fleet.conftest import collected, made, secret

__all__ = ["collected", "made", "secret"]
