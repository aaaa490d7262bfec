"""Random histories of three hosts and their one room: whoever owns it, whatever the bus loses, doubles or delays, and whichever host goes.

The same people, rules and verdicts as in `tests.engine.test_hub_histories`, whose workers are of one host each here.
"""

from __future__ import annotations

from typing import cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from engine.core.states import WAITING
from tests.engine.test_hub_histories import QUEUES, WHERE, HubHistories
from tests.engine.workers import Host
from tests.server.fleet.cluster.rooms import Cell
from tests.support.groups import examples

SITES = st.integers(0, 2)
ALL_QUEUES = (*QUEUES, "bus")


class RoomHistories(HubHistories):
    """Three hosts with a worker each."""

    @property
    def cell(self) -> Cell:
        return cast(Cell, self.host)

    def made(self, fixed: tuple[int, ...]) -> Host:
        return Cell(3, fixed=fixed)

    @initialize()
    def ages_are_heard_late(self) -> None:
        """What is heard over a bus is a moment old."""
        self.late = True

    @rule(mishaps=st.lists(st.sampled_from(["", "", "lost", "doubled", "late"]), min_size=1, max_size=6))
    def the_bus_fails(self, mishaps: list[str]) -> None:
        self.cell.mishaps.extend(mishaps)

    @rule(queues=st.sets(st.sampled_from(ALL_QUEUES)))
    def hold(self, queues: set[str]) -> None:
        self.host.held = lambda queue: queue in queues
        self._pass()

    @rule(count=st.integers(1, 5))
    def some_messages_pass(self, count: int) -> None:
        for _ in range(count):
            if self.cell.bus:
                self.cell.delivered()
        self._hear()

    @rule(where=SITES, cut=st.booleans())
    def nats_is_away(self, where: int, cut: bool) -> None:
        for place, site in enumerate(self.cell.sites.values()):
            if place == where:
                site.cut = cut
        self._pass()

    @rule(owners=st.lists(SITES, min_size=3, max_size=3))
    def each_has_an_owner_of_its_own(self, owners: list[int]) -> None:
        nodes = list(self.cell.sites)
        for site, owner in zip(list(self.cell.sites.values()), owners, strict=False):
            site.forced = nodes[owner % len(nodes)]
            site.look()
        self._pass()

    @rule(where=SITES)
    def a_hub_dies(self, where: int) -> None:
        for place, site in enumerate(list(self.cell.sites.values())):
            if place == where:
                site.start_hub()
        self._pass()

    @rule(where=SITES)
    def a_host_goes(self, where: int) -> None:
        """It comes again with the next that are started."""
        sites = list(self.cell.sites)
        if where < len(sites) > 1:
            self.cell.end_site(sites[where])
            self._pass()

    @rule(where=WHERE, seconds=st.sampled_from([0.3, 1.2, 2.5]))
    def a_host_is_silent_for_a_while(self, where: int, seconds: float) -> None:
        self.nats_is_away(where, True)
        self.time_goes_by(seconds)
        self.nats_is_away(where, False)

    @invariant()
    def each_host_is_the_owner_or_hears_it_and_has_a_stream_there(self) -> None:
        for site in self.cell.sites.values():
            room = site.room
            assert room._there == site.members.nodes
            assert room.owns or (room.owner in room._there and room.owner in room._outs)


RoomHistories.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None)
TestRoomHistories = RoomHistories.TestCase


def test_a_user_who_asks_at_a_host_that_lost_the_owner_waits_in_the_room_again() -> None:
    """Host 1 alone takes host 2 for the owner, then is cut off until the two have forgotten each other."""
    history = RoomHistories()
    history.begin(identities=[0, 0], queues=(), fixed=())
    history.ages_are_heard_late()
    history.each_has_an_owner_of_its_own(owners=[0, 2, 0])
    history.a_host_is_silent_for_a_while(where=1, seconds=2.5)
    history.look_for_anybody(who=[1], three=False)
    assert history.all[1].wire.session.state == WAITING
    history.a_host_is_silent_for_a_while(where=0, seconds=0.3)
    history.all_settles()
    assert [*history.host.hub._waiters] == [history.all[1].wire.session.id]
    history.teardown()
