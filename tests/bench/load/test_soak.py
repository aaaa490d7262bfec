"""The verdict of a soak: each fault of a server is found under its name."""

from typing import Any

from bench.load import soak

LOOK = {"time": 0.0, "resident": 100e6, "sockets": 4, "files": 15, "connections": 0.0, "sessions": 0.0, "records": 0.0}
REST = {**LOOK, "lag_sum": 0.0, "lag_count": 10.0}
CALM = {"numbered": 1000, "cut": 10, "lost": 0, "doubled": 0, "disordered": 0, "ended": 0}


def looks(first: float, last: float) -> list[dict[str, float]]:
    """A hundred seconds of memory that grows evenly, in bytes."""
    return [{**REST, "time": float(at), "resident": first + (last - first) * at / 99} for at in range(100)]


def bad(**changes: Any) -> list[str]:
    """The first words of the verdicts that are bad."""
    found = {"looks": looks(100e6, 100e6), "after": REST, "results": [{"errors": 0}], "rude": CALM, **changes}
    verdicts = soak.judged(REST, **found)
    return [" ".join(name.split()[:2]) for name, good in verdicts.items() if not good]


def test_a_server_that_stays_as_it_was_has_a_good_verdict() -> None:
    assert bad() == []


def test_each_fault_has_its_verdict() -> None:
    assert bad(looks=looks(100e6, 104e6)) == ["resident memory"]
    assert bad(after={**REST, "sockets": 5}) == ["sockets 4"]
    assert bad(after={**REST, "files": 40}) == ["other descriptors"]
    assert bad(after={**REST, "sessions": 1.0}) == ["sessions left:"]
    assert bad(after={**REST, "lag_sum": 20.0, "lag_count": 110.0}) == ["mean lag"]
    assert bad(results=[{"errors": 0}, {"errors": 3}]) == ["errors of"]
    assert bad(rude={**CALM, "doubled": 1}) == ["1,000 lines"]


def test_the_warm_up_is_not_judged() -> None:
    assert soak.warm_up(1800) == soak.WARM
    assert soak.warm_up(60) == 20
    assert soak.warmed(looks(1, 1), 60)[0]["time"] == 20
