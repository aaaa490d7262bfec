"""People go to and fro between two processes, each as they stood."""

import pytest

from bench.moves import migration_rig
from server.realtime.worker import worker_loop

pytestmark = pytest.mark.blocking  # each makes a secret, in a folder


@pytest.mark.parametrize("batch", migration_rig.BATCHES.values())
@pytest.mark.parametrize("kind", migration_rig.KINDS)
async def test_everybody_goes_to_and_fro_and_each_round_has_its_cost(kind: str, batch: int) -> None:
    costs = await migration_rig.clocked(kind, 6, batch, 2)
    assert len(costs) == 2
    assert all(cost > 0 for cost in costs)


@pytest.mark.parametrize("batch", migration_rig.BATCHES.values())
async def test_sessions_that_are_matched_wait_for_a_turn_that_was_put_off(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_loop, "GATES", 1)  # as with more gates than a turn opens
    monkeypatch.setattr(worker_loop, "PACKED", 0.0)
    assert len(await migration_rig.clocked(migration_rig.MEETS, 6, batch, 1)) == 1


async def test_who_stays_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with migration_rig.crowd(migration_rig.IDLING, 2, 16) as made:

        async def stay(_: migration_rig.Side) -> None:
            return

        monkeypatch.setattr(migration_rig.Side, "give", stay)
        with pytest.raises(RuntimeError, match="2 stayed, 0 came"):
            await made.to_and_fro()
