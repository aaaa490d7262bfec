"""Each thing that the engine counts of challenges is one of the series, and each series is of declared values."""

import re
from pathlib import Path

from engine.wire.protocol_copy_generator import ROOT
from server.ops.metrics.challenge_metrics import CHALLENGE_SERIES, CHALLENGE_VALUES

TRIALS = Path(ROOT, "engine", "chats", "challenges.py").read_text()


def test_each_result_that_is_counted_is_declared_and_no_other() -> None:
    counted = set(re.findall(r'"challenge [^"]* (\w+)"', TRIALS)) | set(re.findall(r'_count\(trial, "(\w+)"\)', TRIALS))
    assert counted == set(CHALLENGE_VALUES["serendip_challenges"]["result"])


def test_no_series_stands_twice_and_all_levels_are_there() -> None:
    assert len(set(CHALLENGE_SERIES)) == len(CHALLENGE_SERIES)
    assert CHALLENGE_VALUES["serendip_challenges"]["kind"] == (
        "altcha",
        "turnstile",
        "hcaptcha",
        "recaptcha",
        "wait",
        "none",
    )
    assert set(CHALLENGE_VALUES["serendip_challenges"]["level"]) == {"1", "2", "3", "4"}
