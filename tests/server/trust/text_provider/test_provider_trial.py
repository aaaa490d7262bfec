"""Test a conversation with a provider outside a server."""

import pytest

from server.ops.config.screening_settings import Screening
from server.trust.text_provider.provider_program import Misbehaved
from server.trust.text_provider.provider_protocol import ProviderFinding
from server.trust.text_provider.provider_trial import ProviderTrial
from tests.server.trust.text_provider import programs

pytestmark = pytest.mark.timeout(240)


def trial(code: str, seconds: float = 30) -> ProviderTrial:
    chosen = {"provider": "command", "provider_command": programs.command(code), "provider_seconds": seconds}
    return ProviderTrial(Screening.model_validate(chosen), show_errors=False)


def test_lines_are_answered_one_after_another() -> None:
    with trial(programs.manual_example()) as provider:
        assert provider.find("a glorp") == [("hate.provider.low", ProviderFinding("hate", 0.8, "glorp"))]
        assert provider.find("hello") == []
        assert provider.conversation.without == []


@pytest.mark.parametrize(
    ("code", "seconds", "said"),
    [
        (programs.HANGS, 0.5, "in time"),
        (programs.EXITS, 30, "by itself"),
        (programs.GARBAGE, 30, "no answers"),
        (programs.GIGABYTE, 30, "too long"),
    ],
)
def test_a_bad_one_is_ended_and_said_in_words(code: str, seconds: float, said: str) -> None:
    with trial(code, seconds) as provider, pytest.raises(Misbehaved, match=said):
        provider.find("hello")
