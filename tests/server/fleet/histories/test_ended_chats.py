"""A client comes back to an older copy of its session, whose process died as it doubted that copy."""

from __future__ import annotations

import pytest

from server.ops.security.secret_keys import Keys
from tests.server.fleet.histories.history import History
from tests.server.fleet.histories.network import Fate
from tests.server.fleet.processes.rig import Working

# as in `test_histories`: asyncio drops a socket that was accepted as the accept was cancelled
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def workers(history: History, id: int) -> list[Working]:
    """The workers that have a session, those of the first host first."""
    return [one for _, site in sorted(history.sites.items()) for one in site.workers.values() if id in one.sessions]


@pytest.mark.timeout(60)
def test_who_comes_back_to_a_copy_in_a_chat_that_is_over_leaves_it(secret: Keys) -> None:
    """The acknowledgement of a chat's move is lost, and so is the request to forget it; then the chat ends where it was."""
    with History(secret) as history:
        stays, leaves = history.people[:2]
        history.all_come({0: (0, 0), 1: (0, 0)})
        history.turns(8)
        history.finds([0, 1])
        history.passes(0.3)
        history.says(0, 3)
        history.cuts([Fate(back=1), Fate(there=0, silent=True)])
        history.evacuates(0, 0)
        history.passes(0.3)
        assert len(workers(history, stays.session)) == 2, "the worker that is emptied doubts the copy"
        copy = workers(history, stays.session)[1]
        history.leaves(1)
        history.passes(0.3)
        assert (stays.chat, stays.ends, leaves.heard) == ("", 1, 3)

        history.dies(0, "worker 1")
        history.comes(0, 1, 0)
        history.passes(1.0)

        assert (stays.resumed, stays.chat) == (1, "")
        assert workers(history, stays.session) == [copy], "the copy is what is left"
        assert copy.worker.engine.sessions[stays.session].seat is None, "it is in no chat any more"
        history.settles(wholly=False)
