"""Summarise the exception that ended a child process: its type and places in the code, never its text, which may quote a user."""

from pathlib import Path
from typing import Any


def ended_by(fault: Exception) -> dict[str, Any]:
    """Return a fault as `{"fault": type, "where": places}`, places innermost first."""
    places: list[str] = []
    step = fault.__traceback__
    while step is not None:
        places.append(f"{Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno}")
        step = step.tb_next
    return {"fault": type(fault).__name__, "where": " < ".join(reversed(places[-6:]))}
