"""Test the timer wheel: each timer once, in its second, never early."""

from hypothesis import given
from hypothesis import strategies as st

from ext.reactor.debug_hooks import Wheel
from tests.ext.net.fuzz_wheel import SLOTS, fuzz


def test_a_timer_fires_once_in_its_second_and_not_before() -> None:
    wheel = Wheel(100)
    wheel.arm(1, 5)
    assert wheel.due(104) == []
    assert wheel.due(105) == [1]
    assert wheel.due(200) == []


def test_arming_again_moves_a_timer_and_disarming_takes_it_out() -> None:
    wheel = Wheel(0)
    wheel.arm(1, 3)
    wheel.arm(1, 9)
    wheel.arm(2, 3)
    wheel.disarm(2)
    wheel.disarm(3)  # never armed
    assert wheel.due(8) == []
    assert wheel.due(9) == [1]


def test_a_wait_is_a_second_at_least_and_a_turn_of_the_wheel_at_most() -> None:
    wheel = Wheel(0)
    wheel.arm(1, 0)
    wheel.arm(2, 1000)
    assert wheel.due(0) == []
    assert wheel.due(1) == [1]
    assert wheel.due(SLOTS - 1) == [2]


def test_after_a_long_sleep_everything_is_due_at_once() -> None:
    wheel = Wheel(0)
    for number in range(16):
        wheel.arm(number, number * 4)
    assert sorted(wheel.due(10_000)) == list(range(16))


def test_a_clock_that_steps_back_waits() -> None:
    wheel = Wheel(50)
    wheel.arm(1, 5)
    assert wheel.due(10) == []
    assert wheel.due(55) == [1]


@given(st.binary(max_size=300))
def test_whatever_is_done_to_it_it_agrees_with_the_model(data: bytes) -> None:
    fuzz(data)
