"""Make JSON records of cases, for the moderation API: the same facts as the console's pages, without words.

Times are Unix seconds, lengths seconds; `side` 1 or 0 as in the chat; a step or length of 0 is a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from server.ops.config.moderation_policy import URGENT
from server.trust.cases.case_queues import ListedCase, NewCase, ReporterRecord
from server.trust.decisions.case_work import OpenedCase, Outcome
from server.trust.evidence.chat_evidence import Evidence

Record = dict[str, Any]


def new(case: NewCase) -> Record:
    """Return a case that was opened a moment ago."""
    return asdict(case)


def listed(case: ListedCase) -> Record:
    """Return a case of a list."""
    return asdict(case)


def opened(found: OpenedCase, opens: Callable[[str], bool]) -> Record:
    """Return a case with everything that a moderator reads, except pictures. `opens`: whether they may open cases of a queue."""
    return {
        **listed(found.listed),
        "country": found.country if found.listed.queue == URGENT else "",
        "notes": [
            {"reason": one.reason, "note": one.note, "count": one.count, "reporter": _reporter(one.record)}
            for one in found.reports
        ],
        "chats": [_chat(one) for one in found.texts],
        "chats_total": found.chats,
        "earlier": [
            {
                "case": one.case if opens(one.queue) else "",
                "closed": one.closed,
                "state": one.state,
                "measure": one.measure,
                "rule": one.rule,
            }
            for one in found.earlier
        ],
        "steps": found.steps,
        "program": None if found.program is None else dict(zip(("measure", "rule"), found.program, strict=True)),
        "outcome": None if found.outcome is None else _outcome(found.outcome),
        "second_review": found.again,
        "pictures": len(found.pictures),
        "child_since": found.child,
        "comments": [asdict(one) for one in found.comments],
        "alike": found.alike,
    }


def _reporter(record: ReporterRecord) -> Record:
    return {"known": record.known, "right": record.right, "of": record.of}


def _chat(text: Evidence) -> Record:
    """Return the text of a chat. `reported`: the side whom the case is about."""
    return {
        "mode": text.mode,
        "began": text.began,
        "at": text.at,
        "reported": text.side,
        "cut": text.cut,
        "lines": [asdict(line) for line in text.lines],
        "detections": [asdict(one) for one in text.found],
    }


def _outcome(outcome: Outcome) -> Record:
    return {
        "closed": outcome.closed,
        "decided_by": outcome.decided_by,
        "measure": outcome.measure,
        "rule": outcome.rule,
        "undo": outcome.undo,
    }
