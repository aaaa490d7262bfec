"""What the engine raises."""

from engine.wire.engine_errors import Refusal


def test_a_refusal_says_which_frame_was_not_taken_and_when_to_try_again() -> None:
    refusal = Refusal("too_fast", "find", None, 0.5)
    assert (str(refusal), refusal.of, refusal.id, refusal.retry_after) == ("too_fast", "find", None, 0.5)
