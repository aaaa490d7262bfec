"""The other hosts as the frontend knows them."""

from server.fleet.cluster.known_nodes import NOT_YET, Hosts, Place


def test_it_knows_what_it_was_told_last() -> None:
    hosts = Hosts()
    assert (hosts.addresses(), hosts.unwell()) == ([], [])
    rows = [[node, address, "1.0", "serving", 3, 0.0] for node, address in (("b", "x:1"), ("c", "x:2"), ("d", "x:1"))]
    hosts.take(None, rows)
    assert hosts.addresses() == ["x:1", "x:2"]  # two generations of one host listen at one place
    assert [one.node for one in hosts.others] == ["b", "c", "d"]
    hosts.take("nats://n: refused", [])
    assert hosts.addresses() == []
    assert "alone" in hosts.unwell()[0]
    assert "refused" in hosts.unwell()[0]


def test_people_go_to_those_that_serve_alone() -> None:
    hosts = Hosts()
    states = {"b": "serving", "c": "draining", "d": "suspect"}
    hosts.take(None, [[node, f"{node}:1", "1.0", state, 7, 0.0] for node, state in states.items()])
    assert hosts.there()
    assert hosts.places() == [Place("@b 1", 7)]


def test_those_of_a_hub_that_is_gone_stay_until_the_next_one_knows_better() -> None:
    hosts = Hosts()
    assert (hosts.there(), hosts.nodes) == (True, None)
    hosts.take(None, [["b", "b:1", "1.0", "serving", 7, 0.0]])
    hosts.lose()
    hosts.take(NOT_YET, [])
    assert (hosts.there(), hosts.nodes, hosts.unwell()) == (True, None, [f"cluster: {NOT_YET}"])
    assert hosts.at("b") is not None
    hosts.take(NOT_YET, [["c", "c:1", "1.0", "serving", 7, 0.0]])
    hosts.take(NOT_YET, [["c", "c:1", "1.0", "draining", 7, 0.0]])
    assert [(one.node, one.state) for one in hosts.others] == [("b", "serving"), ("c", "draining")]
    assert hosts.nodes is None
    hosts.take(None, [])
    assert (hosts.there(), hosts.nodes, hosts.unwell()) == (False, frozenset(), [])
