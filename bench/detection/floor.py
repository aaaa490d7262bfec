"""Compare scores with the recorded floor: recall and precision of each class and language may fall by two points at most.

False alarms in conversations may rise by one in 1,000 at most. **Invariant:** a set without a recorded score is a fault too; `--record` writes all.
"""

import json
from pathlib import Path
from typing import Any, Final

from bench.detection.scores import CONFIDENCES, per_thousand, precision, recall
from bench.support.results import ROOT

FLOOR: Final = ROOT / "bench" / "detection" / "floor.json"
FALL_MAX: Final = 0.02  # of recall or precision
RISE_MAX: Final = 1.0  # false alarms in 1,000 conversations

Floor = dict[str, dict[str, float | None]]


def floor_of(result: dict[str, Any]) -> Floor:
    """Return the figures of one detector that may not get worse, by `set class language half confidence` or `set half confidence`."""
    figures: Floor = {}
    for row in result["sets"]:
        name = f"{row['set']} {row['class']} {row['language']} {row['half']}"
        for which in CONFIDENCES:
            shares = {"recall": recall(row, which), "precision": precision(row, which)}
            figures[f"{name} {which}"] = {share: _round(value) for share, value in shares.items()}
    for row in result["conversations"]:
        for which, alarms in row["alarms"].items():
            name = f"{row['set']} {row['half']} {which}"
            figures[name] = {kind: _round(per_thousand(row, kind, which)) for kind in alarms}
    return figures


def _round(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4)


def worse(recorded: Floor, measured: Floor) -> list[str]:
    """Return what got worse than recorded, or was never recorded, a sentence each."""
    faults = []
    for name, figures in measured.items():
        floor = recorded.get(name)
        if floor is None:
            faults.append(f"{name}: not recorded; run python -m bench detection --record")
            continue
        for figure, value in figures.items():
            before = floor.get(figure)
            if is_worse(figure, before, value):
                faults.append(f"{name}: {figure} was {before}, is {value}")
    return faults


def is_worse(figure: str, before: float | None, value: float | None) -> bool:
    """Whether a figure is worse than its recorded value by more than the margin. None: there was nothing to divide by."""
    if figure not in ("recall", "precision"):
        return value is not None and value > (before or 0.0) + RISE_MAX
    if before is None:
        return False
    return value is None or value < before - FALL_MAX


def read_floor() -> dict[str, Floor]:
    """Return the recorded floor by detector."""
    recorded: dict[str, Floor] = json.loads(FLOOR.read_text("utf-8"))
    return recorded


def write_floor(results: dict[str, Any], path: Path = FLOOR) -> None:
    """Record the floor of each detector."""
    floors = {name: floor_of(result) for name, result in results.items()}
    path.write_text(json.dumps(floors, indent=1, sort_keys=True) + "\n", "utf-8")
