"""The other hosts as the office knows them."""

from server.cluster.hosts import Hosts


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
