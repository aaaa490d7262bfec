"""A flame graph is drawn from stacks."""

from bench.server.profile import drawn, folded


def test_a_flame_graph_holds_the_frames_that_were_seen() -> None:
    loop = "run (uvloop/__init__.py:92);Handle__run (loop.c:70906);"
    raw = (
        f"{loop}_ready (server/realtime/worker/worker_loop.py:89);drain (ext/reactor.cpython-311-x86_64-linux-gnu.so);send (libc.so.6);0x7f 3\n"
        f"{loop}_ready (server/realtime/worker/worker_loop.py:90) 1\n"
        "run (uvloop/__init__.py:92);uv__io_poll (linux.c:1452);epoll_pwait (libc.so.6);0x7f 50\n"
        "_worker (concurrent/futures/thread.py:81);PyThread_acquire_lock_timed (libpython3.11.so.1.0);0x7f 60\n"
    )
    stacks = folded(raw)
    ready = "_ready (server/realtime/worker/worker_loop.py)"
    assert stacks == {(ready, "drain (ext/reactor)", "send (libc.so.6)"): 3, (ready,): 1}
    assert f"{ready} 100.0%" in drawn(stacks)
    assert "drain (ext/reactor) 75.0%" in drawn(stacks)
