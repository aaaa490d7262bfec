"""Import libraries without their optional dependencies, to save memory and start time.

**Invariant:** a dependency is hidden only while the library is imported, and only if the library treats it as optional.
"""

# structlog would load Rich and Pygments for coloured tracebacks, which are never printed (15 MB, and a tenth of the start). A later import of the
# dependency finds it.

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Make imports of these modules raise ImportError within the context, unless they are imported already."""
    kept_away = [name for name in names if name not in sys.modules]
    table: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # None: the import system takes the module as missing
    for name in kept_away:
        table[name] = None
    try:
        yield
    finally:
        for name in kept_away:
            sys.modules.pop(name, None)


with without("rich", "better_exceptions", "twisted"):
    import structlog as structlog
