"""Test that a refused search is repeated when the server allows it, once, and never after an answer."""

import asyncio

import pytest

from serendip_client.search import Search

NOW = -0.05  # with the margin of a timer: at once


class Asked:
    """Frames that a search sent."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.came = asyncio.Event()

    async def __call__(self, frame: bytes) -> None:
        self.frames.append(frame)
        self.came.set()


@pytest.fixture
def sent() -> Asked:
    return Asked()


async def test_a_search_that_is_refused_for_a_while_is_asked_again_once(sent: Asked) -> None:
    search = Search(sent)
    search.begin(b"tea")
    search.refuse(NOW, False)
    assert search.asked is None
    await sent.came.wait()
    assert (sent.frames, search.asked) == ([b"tea"], b"tea")
    search.wait()
    search.lose()
    assert search.asked == b"tea"


@pytest.mark.parametrize("what", ["begin", "end", "lose"])
async def test_no_repeat_comes_behind_another_search_its_end_or_a_new_session(sent: Asked, what: str) -> None:
    search = Search(sent)
    search.begin(b"tea")
    search.refuse(NOW, False)
    repeats = asyncio.all_tasks() - {asyncio.current_task()}
    if what == "begin":
        search.begin(b"chess")
    elif what == "end":
        search.end()
    else:
        search.lose()
    await asyncio.wait(repeats)
    assert all(repeat.cancelled() for repeat in repeats)
    assert sent.frames == []
    assert search.asked == {"begin": b"chess", "end": None, "lose": b"tea"}[what]


async def test_a_search_that_needs_something_first_is_forgotten_and_one_that_closes_the_connection_is_not(
    sent: Asked,
) -> None:
    search = Search(sent)
    search.begin(b"tea")
    search.refuse(5.0, True)
    assert search.asked == b"tea"
    search.refuse(None, False)
    search.lose()
    assert search.asked is None
