"""Count what detectors find: hits and misses in labelled sets, false alarms in conversations, and the time of a line.

A line counts for a class if the detector finds that class in it, whatever the rule. All findings are counted (`all`), and those of high confidence
alone (`high`), from which more than a tip follows. Toxic comments (`insult`) count if hate or a threat is found. A low-confidence detection of
grooming (a request) counts as a false alarm only if the conversation also states an age, as in the service. Times are of the thread's CPU; the
slowest lines are measured again and the least counts, which leaves out interruptions.
"""

import math
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from bench.detection.conversations import Conversation
from bench.detection.detectors import Detector
from bench.detection.labelled_lines import CLASSES, LabelledSet
from server.trust.screening.line_patterns import LONG

ALL: Final = "all"
HIGH: Final = "high"
CONFIDENCES: Final = (HIGH, ALL)
INSULTS: Final = frozenset(("hate", "threat"))
Z: Final = 1.96  # of a normal distribution, for 95 %
SLOWEST: Final = 50  # lines that are measured again
AGAIN: Final = 7  # times


def counts_for(kind: str) -> frozenset[str]:
    """Return the classes of a detector that count for the class of a set."""
    return INSULTS if kind == "insult" else frozenset((kind,))


def score_set(detect: Detector, labelled: LabelledSet) -> dict[str, Any]:
    """Return a set's lines of the class (`positive`) and its ordinary ones (`negative`), and of each those with a finding (`found`, `wrong`)."""
    wanted = counts_for(labelled.kind)
    found: Counter[tuple[str, bool]] = Counter()
    long: Counter[tuple[str, bool]] = Counter()
    for line in labelled.lines:
        low = [hit.low for hit in detect(line.text) if hit.kind in wanted]
        for which, is_found in ((ALL, bool(low)), (HIGH, not all(low))):
            found[which, line.positive] += is_found
            long[which, line.positive] += is_found and len(line.text) > LONG
    positive = sum(line.positive for line in labelled.lines)
    return {
        "set": labelled.name,
        "class": labelled.kind,
        "language": labelled.language,
        "half": labelled.half,
        "positive": positive,
        "negative": len(labelled.lines) - positive,
        "found": {which: found[which, True] for which in CONFIDENCES},
        "wrong": {which: found[which, False] for which in CONFIDENCES},
        "long": {
            "positive": sum(line.positive and len(line.text) > LONG for line in labelled.lines),
            "negative": sum(not line.positive and len(line.text) > LONG for line in labelled.lines),
            "found": {which: long[which, True] for which in CONFIDENCES},
            "wrong": {which: long[which, False] for which in CONFIDENCES},
        },
    }


def score_conversations(
    detect: Detector, some: Iterable[Conversation], right: frozenset[tuple[str, str, int]]
) -> list[dict[str, Any]]:
    """Return for each set and half the conversations, their lines, and the conversations with a false alarm by confidence and class."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for chat in some:
        alarms = {which: dict.fromkeys(CLASSES, 0) for which in CONFIDENCES}
        empty = {"set": chat.set, "half": chat.half, "conversations": 0, "lines": 0, "alarms": alarms}
        row = rows.setdefault((chat.set, chat.half), empty)
        row["conversations"] += 1
        row["lines"] += len(chat.lines)
        for which, kinds in false_alarms(detect, chat, right).items():
            for kind in kinds:
                row["alarms"][which][kind] += 1
    for row in rows.values():
        for which in CONFIDENCES:
            del row["alarms"][which]["insult"]
    return [rows[key] for key in sorted(rows)]


def false_alarms(detect: Detector, chat: Conversation, right: frozenset[tuple[str, str, int]]) -> dict[str, set[str]]:
    """Return the classes that are wrongly found in a conversation, by confidence."""
    hits = [(number, hit) for number, line in enumerate(chat.lines, 1) for hit in detect(line)]
    wrong = [(number, hit) for number, hit in hits if (hit.kind, chat.key, number) not in right]
    found = {ALL: {hit.kind for _, hit in wrong}, HIGH: {hit.kind for _, hit in wrong if not hit.low}}
    if len({number for number, hit in wrong if hit.kind == "threat"}) > 1:
        found[HIGH].add("threat")  # the second line of low confidence counts as one of high confidence
    if not any(hit.kind == "age" and not hit.low for _, hit in hits) and "grooming" not in found[HIGH]:
        found[ALL].discard("grooming")
    return found


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


def recall(row: dict[str, Any], which: str) -> float | None:
    """Return the share of a class's lines that were found; None without lines."""
    return row["found"][which] / row["positive"] if row["positive"] else None


def precision(row: dict[str, Any], which: str) -> float | None:
    """Return the share of findings that are right; None without findings."""
    total = row["found"][which] + row["wrong"][which]
    return row["found"][which] / total if total else None


def interval(row: dict[str, Any], kind: str, which: str) -> tuple[float, float]:
    """Return the bounds of the false alarms of a class in 1,000 conversations, with a confidence of 95 % (Wilson)."""
    total, share = int(row["conversations"]), per_thousand(row, kind, which) / 1e3
    middle = share + Z * Z / (2 * total)
    half = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    scale = 1e3 / (1 + Z * Z / total)
    return max(0.0, (middle - half) * scale), (middle + half) * scale


def per_thousand(row: dict[str, Any], kind: str, which: str) -> float:
    """Return the false alarms of a class in 1,000 conversations."""
    return 1e3 * float(row["alarms"][which][kind]) / int(row["conversations"])
