"""Choose, when the program starts, between compiled modules and their Python source (SERENDIP_PLAIN=1), for modules with a .pxd beside them.

The source serves coverage, debuggers, and tests, which run with both.
**Invariant:** a compiled module behaves as its source.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

FOLDERS = (
    "engine",
    "server/fleet/cluster",
    "server/fleet/ipc",
    "server/fleet/migrate",
    "server/trust/screening",
    "server/ops/security",
    "server/data/records",
    "server/data/schema",
    "server/data/store",
    "server/realtime/worker",
)
VARIABLE = "SERENDIP_PLAIN"


class Source:
    """Import finder that ignores compiled modules."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of a module's source if it is in FOLDERS, else None."""
        if not path or not name.startswith(tuple(f"{folder.replace('/', '.')}." for folder in FOLDERS)):
            return None
        for folder in path:
            spec = FileFinder(folder, (SourceFileLoader, [".py"])).find_spec(name, target)
            if spec is not None:
                return spec
        return None


def choose() -> None:
    """Import source files if the environment asks for it. Each package of FOLDERS calls this before its modules are imported."""
    if os.environ.get(VARIABLE) == "1" and Source not in sys.meta_path:
        sys.meta_path.insert(0, Source)


def stale(root: Path) -> list[str]:
    """List compiled modules that are older than their source or its .pxd."""
    found = []
    for folder in FOLDERS:
        for declared in (root / folder).rglob("*.pxd"):
            source = declared.with_suffix(".py")
            newest = max(declared.stat().st_mtime, source.stat().st_mtime)
            built = [file for file in declared.parent.glob(f"{declared.stem}.*.so") if file.stat().st_mtime < newest]
            if built:
                found.append(str(source.relative_to(root)))
    return sorted(found)
