"""Test that a package arrives byte for byte or is retracted, and is sent to no other server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.trust.child_protection.referral_client import NotSent, send
from server.trust.child_protection.referral_package import build
from tests.server.trust.child_protection.test_referral_package import ADA, material, seen
from tests.support.cybertip import PASSWORD, REPORT, USER, Cybertip


@pytest.fixture
def body() -> Iterator[Cybertip]:
    made = Cybertip()
    yield made
    made.stop()


async def test_whoever_takes_it_gets_exactly_the_package(body: Cybertip) -> None:
    package = build(material(seen(viewed=True), seen("own")), ADA)
    assert await send(package, body.url, USER, PASSWORD) == REPORT
    assert body.report == package.report
    assert body.files == {one.name: one.body for one in package.files}
    assert body.details == [one.numbered(REPORT, f"f{number}") for number, one in enumerate(package.files, 1)]
    assert body.steps == ["submit", *(["upload", "fileinfo"] * 3), "finish"]
    assert (body.finished, body.retracted) == (True, False)


@pytest.mark.parametrize("step", ["submit", "upload", "fileinfo", "finish"])
@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<reportResponse><responseCode>4100</responseCode></reportResponse>"),
        (500, b""),
        (302, b"<responseCode>0</responseCode>"),
        (200, b"<responseCode>0</responseCode><reportId><script></reportId>" + b" " * 70_000),
        (200, b"no XML"),
    ],
    ids=["refused", "500", "elsewhere", "too long", "no XML"],
)
async def test_what_fails_in_between_is_taken_back_and_never_finished(
    body: Cybertip, step: str, answer: tuple[int, bytes]
) -> None:
    body.fails, body.answer = step, answer
    with pytest.raises(NotSent, match=step):
        await send(build(material(seen()), ADA), body.url, USER, PASSWORD)
    assert body.finished is False
    assert body.retracted is (step != "submit")


async def test_a_wrong_password_a_port_that_is_shut_and_plain_http_elsewhere_are_told(body: Cybertip) -> None:
    package = build(material(), ADA)
    with pytest.raises(NotSent, match="status 401"):
        await send(package, body.url, USER, "wrong")
    body.stop()
    with pytest.raises(NotSent, match="no answer"):
        await send(package, body.url, USER, PASSWORD)
    with pytest.raises(NotSent, match="https"):
        await send(package, "http://report.example/ispws", USER, PASSWORD)
    assert body.steps == []
