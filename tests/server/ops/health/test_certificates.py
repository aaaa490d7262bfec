"""A certificate's end is read off real servers: HTTPS, and NATS as `deploy/nats_keys.py` sets it up."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from server.ops.config.settings import Settings
from server.ops.health.certificates import (
    AGAIN_AFTER_S,
    EVERY_S,
    URGENT_S,
    CertificateDates,
    Place,
    authority_expiry,
    expiry,
    nats_places,
    site_places,
)
from tests.deploy.proxies import DEPLOY
from tests.server.fleet.nats.test_nats_bus import started
from tests.support import services

pytestmark = pytest.mark.blocking  # writes keys, runs servers


def made(folder: Path, days: float) -> tuple[Path, float]:
    """A key and a certificate of its own making in one file, and when that ends, Unix time."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    ends = now + datetime.timedelta(days=days)
    begun = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = begun.not_valid_before(now - datetime.timedelta(days=400)).not_valid_after(ends).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    file = folder / f"{days}.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file, ends.timestamp()


@asynccontextmanager
async def https(file: Path) -> AsyncIterator[Place]:
    """A server that shows this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield Place("site", "127.0.0.1", server.sockets[0].getsockname()[1])


@pytest.mark.parametrize("days", [90, -2])
async def test_the_end_of_a_certificate_is_read_also_of_one_that_is_over(days: int, tmp_path: Path) -> None:
    file, ends = made(tmp_path, days)
    async with https(file) as place:
        assert await expiry(place) == ends
        looks = CertificateDates([place])
        assert looks.reading() == {"serendip_certificate_expiry_timestamp_seconds": {}}
        await looks.look()
        assert looks.reading() == {"serendip_certificate_expiry_timestamp_seconds": {("site",): ends}}


async def test_a_server_that_is_not_there_has_no_figure() -> None:
    place = Place("site", "127.0.0.1", services.free_port())
    looks = CertificateDates([place])
    await looks.look()
    assert looks.reading() == {"serendip_certificate_expiry_timestamp_seconds": {}}


async def test_that_of_nats_is_asked_for_behind_its_greeting_and_so_is_the_authority(tmp_path: Path) -> None:
    made_keys = [sys.executable, str(DEPLOY / "nats_keys.py"), str(tmp_path), "--server", "127.0.0.1", "one"]
    await asyncio.to_thread(subprocess.run, made_keys, check=True, capture_output=True, timeout=60)
    shown = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes()).not_valid_after_utc.timestamp()
    config = f'tls {{ cert_file: "{tmp_path}/cert.pem", key_file: "{tmp_path}/key.pem" }}'
    async with started(config) as nats:
        port = int(nats.url.rpartition(":")[2])
        settings = Settings.model_validate({"cluster": {"nats": f"tls://127.0.0.1:{port}"}})
        (place,) = nats_places(settings.cluster)
        assert place == Place("nats", "127.0.0.1", port)
        assert await expiry(place) == shown
        assert authority_expiry(tmp_path / "ca.pem") > shown
        sooner, ends = made(tmp_path, 3)
        looks = CertificateDates([place], sooner)
        await looks.look()
    assert looks.reading() == {"serendip_certificate_expiry_timestamp_seconds": {("nats",): ends}}


async def test_while_a_certificate_ends_soon_it_is_read_often_so_that_a_renewal_ends_the_alert(tmp_path: Path) -> None:
    later, _ = made(tmp_path, 90)
    soon, ends = made(tmp_path, 15)
    async with https(later) as place:
        looks = CertificateDates([place])
        assert looks.pause_s(ends) == AGAIN_AFTER_S, "it was not read yet"
        await looks.look()
        assert looks.pause_s(ends - 86_400) == EVERY_S
    async with https(soon) as place:
        looks = CertificateDates([place])
        await looks.look()
        assert looks.pause_s(ends - 10 * 86_400) == AGAIN_AFTER_S
        assert {looks.pause_s(ends - 60), looks.pause_s(ends + 60)} == {URGENT_S}


def test_names_that_browsers_come_by_are_asked_for_and_no_pattern_or_address() -> None:
    settings = Settings.model_validate(
        {
            "server": {"hosts": "localhost,127.0.0.1,[::1],chat.example,*.chat.example,*"},
            "cluster": {"nats": "nats://a:1"},
        }
    )
    assert site_places(settings) == [Place("site", "chat.example", 443)]
    assert nats_places(settings.cluster) == []
