"""Test popular lists, which get signature bits while tickets wait: the search stays exact, with and without deaths."""

import random
from collections import Counter

import pytest

from ext.match.matcher import Matcher, variants


@pytest.mark.parametrize("variant", variants())
@pytest.mark.parametrize("seed", range(3))
def test_the_best_partner_is_found_while_lists_become_popular(variant: str, seed: int) -> None:
    dice = random.Random(seed)
    matcher = Matcher(8192, variant=variant, table_from=10_000_000, log=0, seed=seed)
    pool = matcher.pool()
    waiting: dict[int, frozenset[int]] = {}
    handles: dict[int, int] = {}
    by_interest: dict[int, set[int]] = {}

    def gone(client: int) -> None:
        for interest in waiting.pop(client):
            by_interest[interest].discard(client)
        del handles[client]

    for client in range(6000):
        ids = tuple({int(400 * dice.random() ** 4) for _ in range(dice.randrange(1, 12))})
        look = dice.random() < 0.35
        answer = matcher.submit(client, pool, ids, 1, float(client), exact=True, look=look)
        if look:
            shared = Counter(other for interest in ids for other in by_interest.get(interest, ()))
            best = max(shared.values(), default=0)
            assert (len(answer[1]) if isinstance(answer, tuple) else 0) == best
        if isinstance(answer, tuple):
            assert len(waiting[answer[0]] & set(ids)) == len(answer[1])
            gone(answer[0])
            continue
        waiting[client], handles[client] = frozenset(ids), answer
        for interest in ids:
            by_interest.setdefault(interest, set()).add(client)
        if dice.random() < 0.1:
            victim = dice.choice(list(handles))
            assert matcher.remove(handles[victim])
            gone(victim)
    assert len(matcher) == len(waiting)
