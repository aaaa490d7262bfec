"""What another host says of a request is read on its connections alone."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from ext.accept.handshake import Judge
from server.fleet.cluster import http_proxy
from server.http.request.client_info import ClientInfo
from server.http.request.host_forwarding import ADDRESS, ASKS, BASE, RELEASE, forwarded_header, is_forwarded
from server.http.request.request_end_detector import BoundaryHandler
from server.ops.metrics.cluster_metrics import CLUSTER_VALUES

SAID = {ADDRESS: "198.51.100.7", BASE: "https://chat.example", ASKS: RELEASE}


class Connection(BoundaryHandler):
    """One that nothing comes over."""

    def __init__(self, passed: bool) -> None:
        self.passed = passed


def asking(passed: bool) -> Any:
    request = make_mocked_request("POST", "/events", headers={"Host": "x", **SAID})
    request._protocol = Connection(passed)
    request._transport_peername = ("203.0.113.9", 1)
    return request


@pytest.mark.parametrize("came", [True, False])
def test_it_is_believed_of_a_host_alone(came: bool) -> None:
    info = ClientInfo(Judge(hosts=(), origins=(), proxies=()))
    request = asking(came)
    assert is_forwarded(request) is came
    assert forwarded_header(request, ASKS) == (RELEASE if came else None)
    assert info.address(request) == ("198.51.100.7" if came else "203.0.113.9")
    assert info.secure(request) is came


def test_the_metric_has_each_word() -> None:
    assert set(CLUSTER_VALUES["serendip_http_forwarded"]["what"]) == set(http_proxy.WHATS)
