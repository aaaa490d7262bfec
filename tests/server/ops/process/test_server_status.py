"""How a process stands: people as they are, chats counted now and then."""

from server.ops.process import server_status
from server.ops.process.server_status import CHATS_EVERY, READY, OwnReport
from tests.engine.world import World


def test_a_chat_of_two_is_one_and_is_counted_anew_after_a_while() -> None:
    world = World()
    one = OwnReport(world.engine)
    assert one.read(0.0) == {"people": 0, "chats": 0}
    world.pair()
    assert one.read(CHATS_EVERY / 2) == {"people": 2, "chats": 0}
    assert one.read(CHATS_EVERY) == {"people": 2, "chats": 1}


def test_a_process_that_is_not_there_has_nothing() -> None:
    off = server_status.process("worker 1", server_status.OFF, deaths=2)
    assert (off["pid"], off["people"], off["deaths"], off["links"]) == (None, 0, 2, {})
    whole = server_status.server(READY, 7, [off])
    assert (whole["done"], whole["phase"], whole["pid"], whole["processes"]) == (True, READY, 7, [off])
