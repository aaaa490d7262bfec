"""Random cuts under load: nothing is lost, doubled or out of order.

A short run here; the whole one is `python -m bench cuts --messages 1000000 --cuts 10000`, or this test with
SERENDIP_TEST_CUTS=10000 and SERENDIP_TEST_MESSAGES=1000000.
"""

import os
from collections.abc import Iterator

import pytest

from bench.load import connection_cuts
from tests.server.site.web.servers import Server

CUTS = int(os.environ.get("SERENDIP_TEST_CUTS", "300"))
MESSAGES = int(os.environ.get("SERENDIP_TEST_MESSAGES", "30000"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own: the load is nobody else's business."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_LIMITS__ENABLED="false")
    yield server
    server.stop()


@pytest.mark.timeout(60 + MESSAGES / 1000)
async def test_random_cuts_under_load_cost_no_message_and_no_chat(server: Server) -> None:
    result = await connection_cuts.run(server.port, pairs=20, messages=MESSAGES, cuts=CUTS)
    assert result.clean, result
    assert result.messages == MESSAGES // 40 * 40
    assert result.cuts > CUTS * 0.9
    assert result.resumed > CUTS // 2
