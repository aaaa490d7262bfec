"""Test that a tunnel is freed with its last end, and that the ledger finds a leaked one."""

from ext.net import tunnel_connections
from tests.ext.net.rig import Rig, frame
from tests.ext.net.tunnels import piped
from tests.support import ledger


def test_the_ledger_sees_a_tunnel_that_stays() -> None:
    before, kept = ledger.alive(), tunnel_connections.alive()
    rig = Rig()
    client, home = piped(rig)
    assert ledger.left_since(before) == {"connections": 2, "tunnels": 1}
    client.send(frame(b"half a frame")[:-1])
    home.send(b"\x81\x05half")
    rig.run()
    assert ledger.left_since(before) == {"connections": 2, "tunnels": 1, "buffers": 2}
    rig.close()
    assert tunnel_connections.alive() == kept
    assert ledger.left_since(before) == {}


def test_a_leg_that_waits_for_its_owner_still_is_a_tunnel() -> None:
    before = ledger.alive()
    rig = Rig()
    client, home = piped(rig)
    home.sock.close()
    rig.run()
    assert rig.reactor.tunnels == 1
    assert ledger.left_since(before) == {"connections": 1, "tunnels": 1}
    found = rig.reactor.unpipe(client.number)
    assert found is not None
    assert tunnel_connections.alive()["tunnels"] == before["tunnels"]
    rig.reactor.take(*found, client)
    rig.close()
    assert ledger.left_since(before) == {}
