"""What an operator chooses about sessions and chats."""

from engine.wire import protocol
from engine.wire.rule_constants import Settings


def test_who_chooses_nothing_has_the_numbers_of_the_contract() -> None:
    chosen = Settings()
    assert (chosen.grace, chosen.find_burst, chosen.find_interval) == (
        protocol.GRACE,
        protocol.FIND_BURST,
        1 / protocol.FIND_RATE,
    )
    assert chosen.limits
