"""Compare the compiled matcher with the oracle: exactness, rules, order, budgets, and no ticket forgotten."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext.match.errors import DuplicateInterest, MatcherError, TooMany, UnknownInterest, UnknownPool, UnknownTicket
from ext.match.interner import Interner
from ext.match.matcher import Matcher, variants
from tests.support.groups import examples
from tests.support.oracle import ANYONE, Oracle, Waiting


class Both:
    """One matcher and the oracle beside it: whatever the matcher answers is checked, then done to both."""

    def __init__(self, exact: bool, weight: dict[int, int] | None = None, **more: object) -> None:
        self.interner: Interner | None = None
        if weight is not None:
            self.interner = Interner()
            for i in range(len(weight)):
                self.interner.intern_all([str(i)] * (1 << (i % 9)), {}, str)
            for i in range(len(weight)):
                weight[i] = self.interner.weight(i)
        self.oracle = Oracle(weight.__getitem__ if weight is not None else lambda _: 1)
        self.matcher = Matcher(4096, interner=self.interner, **more)  # type: ignore[arg-type]
        self.exact = exact
        self.pools = [self.matcher.pool() for _ in range(3)]
        self.handles: dict[int, int] = {}
        self.order = 0
        self.log: list[object] = []

    def submit(
        self,
        client: int,
        pool: int,
        ids: tuple[int, ...],
        level: int,
        person: int,
        recent: tuple[int, ...],
        blocked: tuple[int, ...],
        quiet: bool,
        place: int,
    ) -> None:
        self.order += 1
        me = Waiting(client, pool, frozenset(ids), level, person, recent, blocked, self.order, place)
        answer = self.matcher.submit(
            client, pool, ids, level, float(self.order), person, recent, blocked, quiet, (), self.exact, place=place
        )
        self.check(me, answer if isinstance(answer, tuple) else None, quiet)
        if isinstance(answer, tuple):
            return
        self.oracle.tickets[client] = me
        self.handles[client] = answer

    def retry(self, client: int, level: int, quiet: bool) -> None:
        me = self.oracle.tickets[client]
        me.level = max(level, me.level)
        answer = self.matcher.retry(self.handles[client], me.level, quiet, (), self.exact)
        self.check(me, answer, quiet)
        if answer is not None:
            del self.oracle.tickets[client], self.handles[client]

    def cancel(self, client: int) -> None:
        assert self.matcher.remove(self.handles[client])
        assert not self.matcher.remove(self.handles[client])
        del self.oracle.tickets[client], self.handles[client]

    def check(self, me: Waiting, answer: tuple[int, tuple[int, ...], float, float, str] | None, quiet: bool) -> None:
        best, equals = self.oracle.partners(me, quiet)
        self.log.append(answer)
        if answer is None:
            assert not equals or not self.exact
            return
        client, common, weight, _, rule = answer
        other = self.oracle.tickets.pop(client)
        del self.handles[client]
        assert self.oracle.may_meet(me, other, quiet) == weight
        assert frozenset(common) == me.ids & other.ids
        assert [self.oracle.weight(i) for i in common] == sorted(map(self.oracle.weight, common), reverse=True)
        assert (rule == "anyone") == (not common)
        if self.exact:
            assert weight == best
            if common:
                same = [t for t in equals if t.ids & me.ids == other.ids & me.ids]
                assert same[0] is other, "among those who share the same, the longest waiting"

    def run(self, dice: random.Random, steps: int, interests: int, most: int) -> None:
        for client in range(1, steps + 1):
            move = dice.random()
            if move < 0.12 and self.handles:
                self.cancel(dice.choice(list(self.handles)))
            elif move < 0.3 and self.handles:
                self.retry(dice.choice(list(self.handles)), dice.randrange(4), dice.random() < 0.3)
            else:
                n = dice.randrange(most + 1)
                ids = tuple({int(interests * dice.random() ** 2.5) for _ in range(n)})
                level = dice.randrange(4) if ids else ANYONE
                persons = [tuple(dice.sample(range(1, 40), dice.choice((0, 0, 1, 4, 9)))) for _ in range(2)]
                self.submit(
                    client,
                    dice.choice(self.pools),
                    ids,
                    level,
                    dice.randrange(1, 40),
                    persons[0],
                    persons[1] if dice.random() < 0.2 else (),
                    dice.random() < 0.3,
                    dice.choice((0, 0, 0, 1, 2)),
                )
        assert len(self.matcher) == len(self.oracle.tickets)
        assert sum(self.matcher.waiting(pool) for pool in self.pools) == len(self.handles)


@pytest.mark.parametrize("variant", variants())
@pytest.mark.parametrize("weighted", [False, True])
@given(
    seed=st.integers(0, 2**32),
    interests=st.sampled_from([3, 12, 60, 400]),
    most=st.sampled_from([1, 3, 10, 32]),
    table=st.booleans(),
)
@settings(max_examples=examples(25), deadline=None)
def test_exact_search_finds_what_brute_force_finds(
    variant: str, weighted: bool, seed: int, interests: int, most: int, table: bool
) -> None:
    weight = dict.fromkeys(range(interests), 1) if weighted else None
    both = Both(True, weight, variant=variant, table_from=4 if table else 10_000_000, log=16 if table else 0)
    both.run(random.Random(seed), 300, interests, most)


@pytest.mark.parametrize("log", [0, 8])
@given(seed=st.integers(0, 2**32), interests=st.sampled_from([3, 12, 60, 400]), most=st.sampled_from([1, 3, 10, 32]))
@settings(max_examples=examples(25), deadline=None)
def test_search_within_a_budget_never_breaks_a_rule(log: int, seed: int, interests: int, most: int) -> None:
    both = Both(False, table_from=4, log=log, most_postings=64, most_tickets=8)
    both.run(random.Random(seed), 300, interests, most)


@pytest.mark.parametrize("exact", [True, False])
def test_every_build_gives_the_same_results(exact: bool) -> None:
    logs = []
    for variant in variants():
        both = Both(exact, variant=variant, table_from=50, log=32)
        both.run(random.Random(5), 3000, 60, 8)
        logs.append(both.log)
    assert all(log == logs[0] for log in logs)


def test_the_same_input_gives_the_same_result_again() -> None:
    logs = []
    for _ in range(2):
        both = Both(False, table_from=50, log=32)
        both.run(random.Random(6), 3000, 60, 8)
        logs.append(both.log)
    assert logs[0] == logs[1]


def test_bad_input_is_a_named_error_and_changes_nothing() -> None:
    matcher = Matcher(64)
    pool = matcher.pool()
    handle = matcher.submit(1, pool, (1, 2), 0, 0.0)
    for error, act in (
        (UnknownPool, lambda: matcher.submit(2, 7, (1,), 0, 0.0)),
        (UnknownPool, lambda: matcher.submit(2, pool, (1,), 0, 0.0, also=(9,))),
        (DuplicateInterest, lambda: matcher.submit(2, pool, (1, 1), 0, 0.0)),
        (TooMany, lambda: matcher.submit(2, pool, tuple(range(33)), 0, 0.0)),
        (TooMany, lambda: matcher.submit(2, pool, (1,), 0, 0.0, recent=tuple(range(17)))),
        (UnknownInterest, lambda: matcher.submit(2, pool, (-1,), 0, 0.0)),
        (UnknownInterest, lambda: matcher.submit(2, pool, (2**32 - 1,), 0, 0.0)),
        (MatcherError, lambda: matcher.submit(2, pool, (1,), 4, 0.0)),
        (UnknownTicket, lambda: matcher.retry(12345, 1)),
    ):
        with pytest.raises(error):
            act()
    assert len(matcher) == 1
    assert matcher.submit(3, pool, (2,), 0, 1.0)[0] == 1
    assert not matcher.remove(handle)


def test_a_number_that_nobody_interned_is_refused() -> None:
    matcher = Matcher(64, interner=Interner())
    with pytest.raises(UnknownInterest):
        matcher.submit(1, matcher.pool(), (5,), 0, 0.0)
