"""Count what detectors find: hits and misses in labelled sets, false alarms in conversations, and the time of a line.

A line counts for a class if the detector finds that class in it, whatever the rule and confidence. Toxic comments (`insult`) count if hate or a
threat is found. Times are nanoseconds of the thread's CPU; the slowest lines are measured again and the least counts, which leaves out
interruptions.
"""

import statistics
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from bench.detection.conversations import Conversation
from bench.detection.detectors import Detector
from bench.detection.labelled_lines import CLASSES, LabelledSet

INSULTS: Final = frozenset(("hate", "threat"))
SLOWEST: Final = 50  # lines that are measured again
AGAIN: Final = 7  # times


def counts_for(kind: str) -> frozenset[str]:
    """Return the classes of a detector that count for the class of a set."""
    return INSULTS if kind == "insult" else frozenset((kind,))


def score_set(detect: Detector, labelled: LabelledSet) -> dict[str, Any]:
    """Return a set's lines of the class (`positive`), those `found`, its ordinary lines (`negative`), and the `wrong` findings among them."""
    wanted = counts_for(labelled.kind)
    found: Counter[bool] = Counter()
    for line in labelled.lines:
        found[line.positive] += any(hit.kind in wanted for hit in detect(line.text))
    positive = sum(line.positive for line in labelled.lines)
    return {
        "set": labelled.name,
        "class": labelled.kind,
        "language": labelled.language,
        "half": labelled.half,
        "positive": positive,
        "negative": len(labelled.lines) - positive,
        "found": found[True],
        "wrong": found[False],
    }


def score_conversations(
    detect: Detector, some: Iterable[Conversation], right: frozenset[tuple[str, str, int]]
) -> list[dict[str, Any]]:
    """Return for each set and half the conversations, their lines, and the conversations with a false alarm by class."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for chat in some:
        empty = {
            "set": chat.set,
            "half": chat.half,
            "conversations": 0,
            "lines": 0,
            "alarms": dict.fromkeys(CLASSES, 0),
        }
        row = rows.setdefault((chat.set, chat.half), empty)
        row["conversations"] += 1
        row["lines"] += len(chat.lines)
        for kind in false_alarms(detect, chat, right):
            row["alarms"][kind] += 1
    for row in rows.values():
        del row["alarms"]["insult"]
    return [rows[key] for key in sorted(rows)]


def false_alarms(detect: Detector, chat: Conversation, right: frozenset[tuple[str, str, int]]) -> set[str]:
    """Return the classes that are wrongly found in a conversation."""
    return {
        hit.kind
        for number, line in enumerate(chat.lines, 1)
        for hit in detect(line)
        if (hit.kind, chat.key, number) not in right
    }


def time_lines(detect: Detector, lines: list[str]) -> dict[str, Any]:
    """Return the median, the 99th percentile and the worst time of a line in microseconds, and the length of the worst."""
    spent = sorted(((_spent(detect, line), line) for line in lines), reverse=True)
    worst, slowest = max((min(_spent(detect, line) for _ in range(AGAIN)), line) for _, line in spent[:SLOWEST])
    times = [cost for cost, _ in spent]
    return {
        "lines": len(times),
        "median_us": round(statistics.median(times) / 1e3, 2),
        "p99_us": round(times[len(times) // 100] / 1e3, 2),
        "worst_us": round(worst / 1e3, 2),
        "worst_characters": len(slowest),
    }


def _spent(detect: Detector, line: str) -> int:
    begun = time.thread_time_ns()
    detect(line)
    return time.thread_time_ns() - begun


def recall(row: dict[str, Any]) -> float | None:
    """Return the share of a class's lines that were found; None without lines."""
    return row["found"] / row["positive"] if row["positive"] else None


def precision(row: dict[str, Any]) -> float | None:
    """Return the share of findings that are right; None without findings."""
    total = row["found"] + row["wrong"]
    return row["found"] / total if total else None


def per_thousand(row: dict[str, Any], kind: str) -> float:
    """Return the false alarms of a class in 1,000 conversations."""
    return 1e3 * float(row["alarms"][kind]) / int(row["conversations"])
