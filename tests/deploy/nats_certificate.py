"""Certificates of a folder of `deploy/nats_keys.py` that end when a test wants it."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def read(file: Path) -> x509.Certificate:
    """A certificate."""
    return x509.load_pem_x509_certificate(file.read_bytes())


def let_end(file: Path, days: float) -> None:
    """Sign a certificate of the folder again, with the same key and names: it ends in so many days (negative: it has ended)."""
    signing = serialization.load_pem_private_key((file.parent / "ca.key").read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    old = read(file)
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    begun = x509.CertificateBuilder(old.issuer, old.subject, old.public_key(), old.serial_number)
    begun = begun.not_valid_before(old.not_valid_before_utc).not_valid_after(ends)
    for one in old.extensions:
        begun = begun.add_extension(one.value, one.critical)
    file.write_bytes(begun.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
