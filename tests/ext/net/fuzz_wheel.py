"""Fuzz the timer wheel against a model of ten lines: operations from bytes, three bytes each. Also a target of `make fuzz`."""

from ext.reactor.debug_hooks import Wheel

SLOTS = 64
WORDS = (b"\0", b"\1\0", b"\2\1\5", b"\1\0\x3f", b"\2\0\xff")


def fuzz(data: bytes) -> int:
    """Run the operations that `data` spells on a wheel and on the model, which must agree after each. Return the number of armed timers."""
    start = data[0] if data else 0
    wheel, now, armed = Wheel(start), start, dict[int, int]()
    for verb, number, amount in zip(data[1::3], data[2::3], data[3::3], strict=False):
        timer = number & 15
        if verb % 4 == 0:
            wheel.disarm(timer)
            armed.pop(timer, None)
        elif verb % 4 == 1:
            # time passes; a clock that goes back waits, and a sleep longer than a turn finds everything
            now += amount
            due = wheel.due(now)
            assert sorted(due) == sorted(timer for timer, at in armed.items() if at <= now)
            assert [armed[timer] for timer in due] == sorted(armed[timer] for timer in due) or amount > SLOTS
            for timer in due:
                del armed[timer]
        else:
            wheel.arm(timer, amount)
            armed[timer] = now + min(max(amount, 1), SLOTS - 1)
    assert wheel.due(now) == []
    return len(armed)
