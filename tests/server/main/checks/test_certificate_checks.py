"""How long a certificate is valid is told by `serendip check`, with what to do in time."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from server.main.checks.certificate_checks import authority, certificates
from server.main.checks.check_finding import Level
from server.ops.health.certificates import Place
from server.ops.manual.manual import manual
from tests.server.ops.health.test_certificates import https, made
from tests.support import services

pytestmark = pytest.mark.blocking  # writes keys


@pytest.mark.parametrize(("days", "level"), [(90, Level.OK), (20, Level.WARNING), (-2, Level.ERROR)])
async def test_the_end_of_a_certificate_is_told_also_of_one_that_is_over(
    days: int, level: Level, tmp_path: Path
) -> None:
    file, ends = made(tmp_path, days)
    async with https(file) as place:
        (found,) = await certificates([place])
    assert (found.check, found.level) == ("tls", level)
    assert f"{datetime.datetime.fromtimestamp(ends, datetime.UTC):%Y-%m-%d}" in found.said


@pytest.mark.parametrize(("days", "level"), [(90, Level.OK), (20, Level.WARNING), (-2, Level.ERROR)])
async def test_the_end_of_the_authority_of_nats_is_told_too(days: int, level: Level, tmp_path: Path) -> None:
    file, _ = made(tmp_path, days)
    (found,) = await authority(file)
    assert (found.check, found.level, str(file) in found.said) == ("tls", level, True)


async def test_an_authority_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (found,) = await authority(tmp_path / "none.pem")
    assert (found.level, "none.pem" in found.said) == (Level.ERROR, True)


async def test_a_server_that_cannot_be_asked_is_a_notice() -> None:
    (found,) = await certificates([Place("site", "127.0.0.1", services.free_port())])
    assert (found.level, bool(found.remedy)) == (Level.OK, True)


@pytest.mark.parametrize(("days", "entry"), [(13, "SerendipCertificateEnds"), (-2, "SerendipCertificateEnded")])
async def test_the_run_book_shows_it_as_it_is_told(days: int, entry: str, tmp_path: Path) -> None:
    def of_any(text: str) -> str:
        return re.sub(r"\d+", "0", re.sub(r"\S+ port \d+", "HOST", text))

    file, _ = made(tmp_path, days)
    async with https(file) as place:
        (found,) = await certificates([place])
    section = manual().find(entry)
    assert section is not None
    assert f"{found.level.word:<8} tls       {of_any(found.said)}." in of_any(section.text)
