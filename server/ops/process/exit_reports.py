"""What a process of ours says of the fault that ends it. Rule: kinds and places, never a text: it may quote what a stranger wrote."""

from pathlib import Path
from typing import Any


def ended_by(fault: Exception) -> dict[str, Any]:
    """What the server is told of a fault: its type and the lines of code that it passed."""
    places: list[str] = []
    step = fault.__traceback__
    while step is not None:
        places.append(f"{Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}")
        step = step.tb_next
    return {"fault": type(fault).__name__, "where": " < ".join(reversed(places[-6:]))}
