"""What the service holds is free of cycles: the collector, which the server lets run rarely, finds nothing of it."""

import gc
import weakref

from server.realtime.worker import gc_tuning
from tests.engine.world import Wire, World
from tests.support import ledger


def test_sessions_chats_and_tickets_leave_nothing_for_the_collector() -> None:
    world = World()

    def talk() -> None:
        a, b = world.pair(interests=["chess"])
        world.say(a, "one")
        world.raw(a, b'{"type":"message","text":""}')
        world.lose(a)
        again = world.resume(a)
        world.send(b, type="leave")
        world.send(again, type="find")
        for wire in (again, b):
            world.lose(wire, 0)

    talk()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        talk()
        gc.collect()
        ours = [thing for thing in gc.garbage if type(thing).__module__.startswith("engine") or type(thing) is Wire]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert ours == []


def test_the_thresholds_are_raised_and_what_stays_is_frozen() -> None:
    before = gc.get_threshold()
    ledger.thaw()
    try:
        gc_tuning.hold()
        assert not gc.isenabled()
        gc_tuning.settle()
        assert gc.isenabled()
        assert gc.get_threshold() == gc_tuning.THRESHOLDS
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        gc.set_threshold(*before)
        ledger.thaw()


def test_connections_that_begin_as_fast_as_others_end_leave_few_young_objects() -> None:
    count, before = gc_tuning.ConnectionCount(), gc.get_threshold()
    gc.collect()
    gc.set_threshold(1_000_000, before[1], before[2])  # as if Python counted none, since as many are freed
    try:
        kept = []
        for _ in range((before[1] + 2) * gc_tuning.CONNECTIONS):
            kept.append([[number] for number in range(100)])
            count.add()
        young, middle = (gc.get_objects(generation=number) for number in (0, 1))
        ours = {id(one) for one in kept}
        assert not any(id(one) in ours for one in (*young, *middle)), "all are of the oldest generation"
        kept.append([])
        gc.disable()
        for _ in range(gc_tuning.CONNECTIONS):
            count.add()
        assert any(one is kept[-1] for one in gc.get_objects(generation=0)), "no collection while a server starts"
    finally:
        gc.enable()
        gc.set_threshold(*before)


class Ring:
    """An object that only the collector frees."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_that_was_old_is_collected_in_its_time_though_python_counts_no_new_objects() -> None:
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, 1, 1)
    try:
        ring = Ring()
        gc.collect()
        kept, garbage = Ring(), weakref.ref(ring)
        del ring
        for _ in range(20):
            gc_tuning.collect_young()
        assert garbage() is None
        assert kept.itself is kept
    finally:
        gc.set_threshold(*before)


def test_what_is_there_at_the_end_is_looked_through_no_more() -> None:
    ledger.thaw()
    try:
        assert gc.get_freeze_count() == 0
        gc_tuning.end()
        assert gc.get_freeze_count() > 0
    finally:
        ledger.thaw()
