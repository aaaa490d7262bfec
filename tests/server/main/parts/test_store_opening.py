"""Who opens a store loads what only a store needs; a worker does not."""

import subprocess
import sys

from tests.server.site.web.servers import ROOT

HEAVY = (
    "sqlalchemy",
    "fido2",
    "obstore",
    "server.trust.console",
    "server.trust.rights.service",
    "server.data.statement.current_statement",
)


def loaded(module: str) -> set[str]:
    """Of HEAVY those that are there once this module is."""
    said = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    return set(
        subprocess.run(
            [sys.executable, "-c", said], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
    )


def test_a_worker_loads_nothing_that_only_the_store_and_the_pages_need() -> None:
    assert loaded("server.main.processes.worker_process") == set()
    assert "server.data.statement.current_statement" in loaded("server.main.parts.store_opening")
