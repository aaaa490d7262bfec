"""The leak ledger: how many objects of each kind the compiled modules hold.

Rule: a module of ext that counts its objects has a function `alive() -> dict[str, int]` (kind to number); that is
all it takes to be watched here. A test may watch more with `watch`.
"""

import gc
import sys
from collections.abc import Callable

_watched: list[Callable[[], dict[str, int]]] = []


def watch(count: Callable[[], dict[str, int]]) -> None:
    """Add a count of kinds to the ledger for the rest of the run."""
    _watched.append(count)


def alive() -> dict[str, int]:
    """How many of each kind live now, over every loaded module of ext and every watched count."""
    modules = [module for name, module in sys.modules.items() if name.startswith("ext.")]
    counts = [module.alive for module in modules if callable(getattr(module, "alive", None))]
    return {kind: number for count in [*counts, *_watched] for kind, number in count().items()}


def left_since(before: dict[str, int]) -> dict[str, int]:
    """Kinds of which more live now than `before`, with the difference; collects garbage only then."""
    if _grown(before):
        gc.collect()
    return _grown(before)


def _grown(before: dict[str, int]) -> dict[str, int]:
    return {kind: now - before.get(kind, 0) for kind, now in alive().items() if now > before.get(kind, 0)}
