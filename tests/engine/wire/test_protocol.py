"""Compare the protocol with docs/protocol.md, and with the settings that serve it."""

import json
import re
import subprocess
import sys

import pytest

from engine.wire import protocol, rule_constants
from engine.wire.protocol import COME_BACK, FAULTS
from engine.wire.protocol_copy_generator import ROOT
from engine.wire.rule_constants import Settings as Rules

CONTRACT = (ROOT / "docs" / "protocol.md").read_text()


def test_the_contract_names_every_code_and_the_close_code_of_those_that_close() -> None:
    closing = dict(re.findall(r"`(\w+)` (1\d{3}|4\d{3})", CONTRACT[CONTRACT.index("Errors that close") :]))
    assert {code: int(number) for code, number in closing.items()} == {
        code: fault.close for code, fault in FAULTS.items() if fault.close
    }
    goes_on = re.search(r"Errors that refuse one frame: (.*?)\. ", CONTRACT)
    assert goes_on is not None
    assert re.findall(r"`(\w+)`", goes_on[1]) == [code for code, fault in FAULTS.items() if not fault.close]


def test_the_contract_says_after_which_close_codes_a_client_may_come_back() -> None:
    said = re.search(r"may come back after ([0-9, and]+)", CONTRACT)
    assert said is not None
    assert {int(number) for number in re.findall(r"\d{4}", said[1])} == COME_BACK


@pytest.mark.parametrize(
    "sentence",
    [
        f"`text`: 1 to {protocol.TEXT_MAX:,} code points",
        f"up to {protocol.ID_MAX} bytes, echoed in `sent`",
        f"`interests`: up to {protocol.INTERESTS_MAX} strings, each 1 to {protocol.INTEREST_MAX} code points",
        f"BCP 47, up to {protocol.LANGUAGE_MAX} characters (default `{protocol.DEFAULT_LANGUAGE}`)",
        f"`question`: the spy's, {protocol.QUESTION_MIN} to {protocol.QUESTION_MAX}",
        f"`note`: up to {protocol.NOTE_MAX:,}",
        f"`{{type, sdp}}` up to {protocol.SDP_MAX // 1024} KiB",
        f"RTCIceCandidateInit up to {protocol.CANDIDATE_MAX // 1024} KiB",
        f"or of the last one ({protocol.PAST_FOR / 60:.0f} minutes)",
        f"a frame or message over {protocol.FRAME_MAX // 1024} KiB",
        f"the refused among the last {protocol.REFUSED_KEPT}",
        f"{protocol.TAKE_SECONDS} s in which it accepted nothing",
        f"after the grace period ({protocol.GRACE:.0f} s, after a 1001 at most {protocol.CLOSED_GRACE:.0f}:",
        f"fewer than {protocol.QUIET_BELOW} arrivals in the last minute",
        f"`any` after {protocol.ANY_AFTER:.0f} s, `anyone` after {protocol.ANYONE_AFTER:.0f} s at the latest",
        f"both have been at `anyone` for {protocol.LIFT_AFTER:.0f} s more",
        f"({protocol.UNSENT_BYTES // 1024} KiB or {protocol.UNSENT_MESSAGES} messages unsent at most)",
        f"messages: a burst of {protocol.MESSAGE_BURST}, then {protocol.MESSAGE_RATE} a second",
        f"signals: a burst of {protocol.SIGNAL_BURST}, then {protocol.SIGNAL_RATE} a second",
        f"finds: a burst of {protocol.FIND_BURST}, then {protocol.FIND_RATE} a second",
        f"{protocol.CONNECTIONS} open, {protocol.CONNECT_RATE} new a second after a burst of {protocol.CONNECT_BURST}",
        "`reason`: " + ", ".join(f"`{reason}`" for reason in protocol.REASONS),
        "`by`: `stranger`, `moderation` or `lost`",
        f"silent for {protocol.PING_AFTER} s",
        f"within {protocol.PONG_WITHIN} s",
        f"a burst of {protocol.FRAME_BURST}, then {protocol.FRAME_RATE} a second",
        f"beyond a burst of {protocol.REFUSAL_BURST:,}, then {protocol.REFUSAL_RATE} a second",
        f"beyond {protocol.BYTES_BURST // 1024**2} MiB, then {protocol.BYTES_RATE // 1024} KiB a second",
        f"`avoid`: up to {protocol.AVOID_MAX} tokens of `blocked`, each up to {protocol.AVOID_TOKEN_MAX} characters",
        f"{protocol.SNAP_TILE[0]} × {protocol.SNAP_TILE[1] * protocol.SNAP_TILES}",
        f"{protocol.SNAP_BYTES // 1024} KiB at most",
        f"`nonce`: {protocol.SNAP_NONCE} characters · `tiles`: {protocol.SNAP_TILES} · `gap`: {protocol.SNAP_GAP}, milliseconds",
        f"`within`: {protocol.SNAP_WITHIN}, seconds",
        "`why`: `camera`, `hidden` or `early`",
        "`why`: " + ", ".join(f"`{why}`" for why in protocol.VEILS),
        f"a mean of {Rules().snap_mean:.0f} s, at least {rule_constants.LOOK_LEAST:.0f} s apart",
        f"within `within` and {rule_constants.LOOK_GRACE:.0f} s more",
        f"in whole seconds, {rule_constants.UNCHECKED_FOR:.0f} at most",
        f"({rule_constants.PAUSED_FOR:,.0f} where the operator chose to pause",
    ],
)
def test_the_contract_says(sentence: str) -> None:
    assert sentence in CONTRACT


SERVED = {  # a setting, and the number of the protocol that is its default
    "limits.message_burst": "MESSAGE_BURST",
    "limits.message_rate": "MESSAGE_RATE",
    "limits.signal_burst": "SIGNAL_BURST",
    "limits.signal_rate": "SIGNAL_RATE",
    "limits.find_burst": "FIND_BURST",
    "limits.find_rate": "FIND_RATE",
    "limits.connections": "CONNECTIONS",
    "limits.newcomers": "NEWCOMERS",
    "limits.connect_burst": "CONNECT_BURST",
    "limits.connect_rate": "CONNECT_RATE",
    "session.grace": "GRACE",
    "matching.any_after": "ANY_AFTER",
    "matching.anyone_after": "ANYONE_AFTER",
}


def defaults(first: str = "") -> dict[str, float]:
    """Return the defaults of the settings in SERVED, in a new interpreter that runs `first` before it imports them."""
    program = (
        f"{first}\nimport json, operator\nfrom server.ops.config.settings import Settings\n"
        f"print(json.dumps({{name: operator.attrgetter(name)(Settings()) for name in {list(SERVED)}}}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def test_a_changed_number_of_the_protocol_is_the_default_of_its_setting() -> None:
    changes = "".join(f"protocol.{name} += 1\n" for name in SERVED.values())
    found = defaults(f"from engine.wire import protocol\n{changes}")
    assert found == {name: getattr(protocol, number) + 1 for name, number in SERVED.items()}
    assert defaults() == {name: getattr(protocol, number) for name, number in SERVED.items()}
