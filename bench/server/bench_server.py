"""Time the parts of the server: head, frames, scanner, ring, relay, engine, Omegle batches. **Invariant:** fixed input, an asserted result."""

import json
from typing import Any

from bench.server.relay_program import HEAD, TEXT, framed, main
from engine.core.ports import Outside
from engine.engine import Engine
from engine.wire.client_requests import parse
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.debug_hooks import append, build, classify, examine, is_valid, read_header
from server.realtime.worker.local_bus import LocalBus
from server.site.omegle import omegle_event_encoding


def test_a_request_head_is_judged(benchmark: Any) -> None:
    judge = Judge(hosts=("localhost",), origins=(), proxies=())
    assert benchmark(examine, judge, HEAD, "127.0.0.1")[0] == 101


def test_two_kibibytes_are_checked_as_utf8(benchmark: Any) -> None:
    assert benchmark(is_valid, "täglich grüßt das Murmeltier ".encode() * 70)


def test_a_frame_s_header_is_read(benchmark: Any) -> None:
    assert benchmark(read_header, framed(TEXT), 65_536)[:4] == (6, 1, True, len(TEXT))


def test_a_frame_of_a_kibibyte_is_built(benchmark: Any) -> None:
    assert len(benchmark(build, 1, b"x" * 1024)) == 1024 + 4


def test_a_line_in_its_usual_spelling_is_scanned(benchmark: Any) -> None:
    assert benchmark(classify, TEXT)[0] == "message"


def test_a_line_that_needs_the_general_parser_is_told_from_others(benchmark: Any) -> None:
    assert benchmark(classify, TEXT.replace(b":", b": "))[0] != "message"


def test_a_message_is_numbered_and_kept_by_the_ring(benchmark: Any) -> None:
    ring = Rings(1 << 24).new()
    benchmark(append, ring, 0, b"x" * 64)
    assert ring.last > 0


def test_a_thousand_messages_are_relayed_one_a_read(benchmark: Any) -> None:
    assert benchmark(main, 1000, 1) == 1000


def test_a_thousand_messages_are_relayed_sixteen_a_read(benchmark: Any) -> None:
    assert benchmark(main, 1600, 16) == 1600


def test_a_find_is_parsed(benchmark: Any) -> None:
    text = json.dumps({"type": "find", "interests": ["chess", "tea", "film"], "language": "en"}).encode()
    assert benchmark(parse, text).language == "en"


def test_a_message_in_another_spelling_is_parsed(benchmark: Any) -> None:
    assert benchmark(parse, TEXT.replace(b":", b": ")).text.startswith("00000012")


class Counting:
    """An `Out` that counts what it is asked for."""

    def __init__(self) -> None:
        self.count = 0

    def _one(self, *_: Any) -> None:
        self.count += 1

    send = link = unlink = say = typing = signal = refuse = adopt = replay = close = keep = keep_limits = _one


def test_two_find_each_other_in_the_engine_and_part(benchmark: Any) -> None:
    numbers, out, bus = iter(range(1, 1 << 60)), Counting(), LocalBus()
    engine = Engine.build(Rings(1 << 24), Outside(new_id=lambda: next(numbers)), out, bus)
    find = b'{"type":"find","interests":["chess"]}'
    now = 0.0

    def settle() -> None:
        while bus.inbox:
            engine.deliver(*bus.inbox.popleft(), now)

    def chat() -> int:
        nonlocal now
        now += 1.0
        before = out.count
        one, two = (engine.opened(next(numbers), next(numbers), 0, "", now) for _ in range(2))
        engine.frame(one, find, now)
        engine.frame(two, find, now)
        settle()
        for session in (one, two):
            engine.lost(session, session.conn, 0, now)
        settle()
        return out.count - before

    assert benchmark(chat) == 5  # `waiting`, `matched` twice, a link each
    assert not engine.sessions


def test_the_batch_of_a_match_for_omegle_s_clients(benchmark: Any) -> None:
    frame = {"common": ["chess", "tea"], "language": "en", "chat": "0"}

    def batch() -> bytes:
        return omegle_event_encoding.joined(omegle_event_encoding.match(frame, "en", "a,b,c,d"))

    assert benchmark(batch).startswith(b'[["connected"],["commonLikes",["chess","tea"]]')


def test_a_message_for_omegle_s_clients(benchmark: Any) -> None:
    assert benchmark(omegle_event_encoding.message, {"text": "täglich grüßt das Murmeltier"}).startswith(
        b'["gotMessage"'
    )
