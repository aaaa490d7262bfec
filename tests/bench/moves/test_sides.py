"""People go to and fro between two processes, each as they stood."""

import pytest

from bench.moves import sides

pytestmark = pytest.mark.blocking  # each makes a secret, in a folder


@pytest.mark.parametrize("batch", sides.BATCHES.values())
@pytest.mark.parametrize("kind", sides.KINDS)
async def test_everybody_goes_to_and_fro_and_each_round_has_its_cost(kind: str, batch: int) -> None:
    costs = await sides.clocked(kind, 6, batch, 2)
    assert len(costs) == 2
    assert all(cost > 0 for cost in costs)


async def test_who_stays_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sides.crowd(sides.IDLING, 2, 16) as made:

        async def stay(_: sides.Side) -> None:
            return

        monkeypatch.setattr(sides.Side, "give", stay)
        with pytest.raises(RuntimeError, match="2 stayed, 0 came"):
            await made.to_and_fro()
