"""Libraries that are imported without what they can do without. Rule: only what the library itself treats as optional is kept from it, and only
while it is imported; whoever asks for that later has it.

structlog would load Rich and Pygments to draw tracebacks for a terminal, which we never print (15 MB, and a tenth of a start).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def without(*names: str) -> Iterator[None]:
    """In here an import of these modules raises ImportError, where they were not imported before."""
    kept_away = [name for name in names if name not in sys.modules]
    table: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # None: "there is none", as the language has it
    for name in kept_away:
        table[name] = None
    try:
        yield
    finally:
        for name in kept_away:
            sys.modules.pop(name, None)


with without("rich", "better_exceptions", "twisted"):
    import structlog as structlog
