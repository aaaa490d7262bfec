from typing import Any

def pair(
    offsets: Any,
    ids: Any,
    worth: Any,
    mate: Any,
    *,
    persons: Any = None,
    avoid_offsets: Any = None,
    avoid: Any = None,
    levels: Any = None,
    places: Any = None,
    homes: Any = None,
    near: float = 0.0,
    keep: int = 128,
    depth: int = 4,
    passes: int = 20,
) -> int: ...
