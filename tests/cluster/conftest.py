"""One cluster of three hosts for all tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.cluster import nets
from tests.cluster.rig import Cluster, mended


@pytest.fixture(scope="session")
def three_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster; skipped, with the reason, where there can be none."""
    if why := nets.lacking():
        pytest.skip(why)
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
async def cluster(three_hosts: Cluster) -> AsyncIterator[Cluster]:
    """The cluster, whole before the test and behind it; nothing of ours failed in it."""
    before = len(three_hosts.faults())
    with mended(three_hosts):
        yield three_hosts
    await three_hosts.whole()
    assert three_hosts.faults()[before:] == []


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Everybody's way in."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session
