"""A group leaves a worker whole or stays as it was."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.core.session import ChallengeState
from server.ops.security.secret_keys import Keys, load
from server.realtime.worker.session_moves import SessionMoves
from tests.server.fleet.migrate.rig import pair, until
from tests.server.realtime.worker.test_worker_loop import find


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


class Stuck:
    """A reactor whose second connection cannot go."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._left = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def release(self, number: int) -> Any:
        self._left -= 1
        return None if self._left < 0 else self._reactor.release(number)


async def test_where_one_of_a_chat_cannot_go_the_other_stays_and_they_talk_on(secret: Keys) -> None:
    async with pair(secret) as made:
        one, two = await made.connect(2)
        for client in (one, two):
            client.say(find("chess"))
        await made.settled()
        for client in (one, two):
            client.hear()
        worker = made.old.worker
        reactor = worker.reactor
        worker.reactor = Stuck(reactor)  # type: ignore[assignment]
        assert SessionMoves(worker).release(worker.engine.moves.group(next(iter(worker.engine.sessions)))) is None
        worker.reactor = reactor
        assert worker.engine.online == 2
        for client, other, text in ((one, two, b"hi"), (two, one, b"ho")):
            client.say(b'{"type":"message","text":"%s"}' % text)
            heard: list[dict[str, object]] = []
            await until(lambda other=other, heard=heard: heard.extend(other.hear()) or heard)  # type: ignore[misc]
            assert heard[0]["text"] == text.decode()


async def test_what_left_and_comes_back_is_as_it_was(secret: Keys) -> None:
    async with pair(secret) as made:
        one, two = await made.connect(2)
        for client in (one, two):
            client.say(find("chess"))
        await made.settled()
        for client in (one, two):
            client.hear()
        moving, worker = SessionMoves(made.old.worker), made.old.worker
        released = moving.release(worker.engine.moves.group(next(iter(worker.engine.sessions))))
        assert released is not None
        assert worker.engine.online == len(worker.engine.sessions) == 0
        assert len(moving.take(*released)) == 2
        one.say(b'{"type":"message","text":"hi"}')
        heard: list[dict[str, object]] = []
        await until(lambda: heard.extend(two.hear()) or heard)
        assert heard[0]["text"] == "hi"


async def test_in_the_place_of_a_challenge_whose_answer_was_being_checked_another_is_asked_for(secret: Keys) -> None:
    async with pair(secret) as made:
        await made.connect(1)
        moving, worker = SessionMoves(made.old.worker), made.old.worker
        (session,) = worker.engine.sessions.values()
        trial = session.trial = ChallengeState(3)
        trial.kind, trial.frame, trial.asked, trial.checked = "turnstile", b"{}", True, True
        trial.until = asyncio.get_running_loop().time() + 60
        released = moving.release([session.id])
        assert released is not None
        (came,) = moving.take(*released)
        assert came.trial is not None
        assert (came.trial.frame, came.trial.asked, came.trial.checked) == (b"", True, False)
