"""What the engine wants done."""

import re
from typing import get_args

from engine.effects import Effect
from engine.protocol_copies import ROOT


def test_the_worker_has_a_hand_for_each_effect_and_for_no_other() -> None:
    worker = (ROOT / "server" / "worker" / "worker.py").read_text()
    assert sorted(re.findall(r"effects\.(\w+): self\.", worker)) == sorted(kind.__name__ for kind in get_args(Effect))
