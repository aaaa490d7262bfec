"""The policy table of moderation: one row a reason, from which all that moderation counts, orders and says is read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.wire.protocol import REASONS as REPORT_REASONS
from server.data.schema.moderation_schema import case, report
from server.http.words.sentence_formatter import said
from server.ops.config.moderation_policy import (
    DAY,
    DETECTIONS,
    QUEUES,
    REPORTS,
    RULES,
    join_reasons,
    program_cause,
    reason,
)
from server.ops.metrics.metric_table import VALUES
from server.trust.console import case_words
from server.trust.publication.monthly_figures import LEVELS
from server.trust.sanctions.sanction_scale import CLOSING

# What a new reason takes: its entry in the protocol and its row; then what is asked of everything that reads rows.
NEW_REASON = """
import engine.wire.protocol
engine.wire.protocol.REASONS += ("doxxing",)
{row}
import dataclasses
from server.ops.metrics.metric_table import VALUES
from server.ops.config.moderation_policy import REPORTS
from server.trust.cases.report_cases import priority_of
from server.trust.evidence.reported_chat import NOBODY, Reported
from server.trust.publication.monthly_figures import LEVELS
made = Reported(b"", "doxxing", "", 0, "text", NOBODY, NOBODY, 0, None)
print(priority_of(made), "doxxing" in VALUES["serendip_reports"]["reason"], "doxxing" in LEVELS["report"][1])
"""
ROW = """
import pathlib, sys, types
source = pathlib.Path("server/ops/config/moderation_policy.py").read_text()
source = source.replace('    "other": Reason(', '    "doxxing": Reason("R6", 70),\\n    "other": Reason(', 1)
sys.modules["server.ops.config.moderation_policy"] = made = types.ModuleType("server.ops.config.moderation_policy")
exec(compile(source, "server/ops/config/moderation_policy.py", "exec"), made.__dict__)
"""


def run(row: str) -> subprocess.CompletedProcess[str]:
    """Python with a report reason that only the protocol, or the table too, knows."""
    script = NEW_REASON.format(row=row)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)


def test_a_reason_of_the_protocol_without_a_row_stops_the_start_and_is_named() -> None:
    done = run("")
    assert done.returncode != 0
    assert "REASONS differ: doxxing" in done.stderr


def test_a_new_reason_is_one_row_and_everything_that_counts_and_orders_has_it() -> None:
    done = run(ROW)
    assert done.stdout.split() == ["70", "True", "True"], done.stderr


def test_each_reason_has_a_rule_a_queue_and_fits_its_column() -> None:
    assert set(REPORTS) == set(REPORT_REASONS)
    for name, row in {**REPORTS, **DETECTIONS}.items():
        assert row.rule in RULES or name == "other"
        assert row.queue in QUEUES
        assert row.step is None or (row.step.measure in CLOSING and 0 < row.step.seconds <= DAY)
    assert all(len(name) <= report.c.reason.type.length for name in REPORTS)
    assert VALUES["serendip_reports"]["reason"] == LEVELS["report"][1] == tuple(REPORTS)


@pytest.mark.parametrize("language", said())
def test_each_reason_and_rule_has_its_words(language: str) -> None:
    t = said()[language]
    assert all(case_words.reason(name, t) for name in (*REPORTS, *DETECTIONS))
    assert all(t.text(f"rule.{rule}") and t.text(f"rules.{rule}") for rule in RULES)


def test_a_reason_that_only_a_newer_version_knows_is_weighed_as_other() -> None:
    assert reason("doxxing") == REPORTS["other"]
    assert reason("nudity", program=True).queue == "machine"


def test_reasons_of_a_case_never_outgrow_their_column() -> None:
    most = case.c.reasons.type.length
    everything = {*REPORTS, *DETECTIONS, *(f"later{n}" for n in range(10))}
    joined = join_reasons(everything, most)
    assert len(joined) <= most
    assert joined.split(",")[:2] == ["known", "age.claim"]
    assert program_cause(joined) == "groom"  # that a list has it is never said
