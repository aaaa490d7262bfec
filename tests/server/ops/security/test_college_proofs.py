"""A proof of a college opens to its domain, for as long as it is good, and for nobody who made it up."""

from pathlib import Path

import pytest

from server.ops.config.settings import Mail, Settings
from server.ops.security.college_proofs import CHARACTERS_MAX, CollegeProofs, make_proofs
from server.ops.security.secret_keys import Keys, load, rotate

DAY = 86_400


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


def test_a_proof_opens_to_its_domain_until_it_expires(secret: Keys) -> None:
    now = 1_000_000.0
    proofs = CollegeProofs(secret, 90 * DAY, lambda: now)
    proof = proofs.seal(proofs.digest("ola@uio.no"), "uio.no")
    assert proofs.open(proof) == "uio.no"
    now += 90 * DAY - 1
    assert proofs.open(proof) == "uio.no"
    now += 1
    assert proofs.open(proof) is None


def test_a_proof_survives_one_rotation_of_the_secret(tmp_path: Path) -> None:
    before = CollegeProofs(load(tmp_path), DAY)
    proof = before.seal(before.digest("ola@uio.no"), "uio.no")
    assert CollegeProofs(rotate(tmp_path), DAY).open(proof) == "uio.no"
    assert CollegeProofs(rotate(tmp_path), DAY).open(proof) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p[:-2],
        lambda p: p[:40] + "AA" + p[42:],
        lambda p: p + "é",
        lambda p: "",
        lambda p: p[:40] + "...." + p[40:],  # as many as leave the padding as it was
    ],
)
def test_what_was_changed_opens_to_nothing(secret: Keys, change: object) -> None:
    proofs = CollegeProofs(secret, DAY)
    proof = proofs.seal(proofs.digest("ola@uio.no"), "uio.no")
    assert proofs.open(change(proof)) is None  # type: ignore[operator]


def test_what_is_longer_than_any_proof_is_not_looked_at(secret: Keys) -> None:
    assert CollegeProofs(secret, DAY).open("A" * (CHARACTERS_MAX + 1)) is None


def test_a_digest_is_of_the_address_and_of_the_key(secret: Keys, tmp_path: Path) -> None:
    proofs = CollegeProofs(secret, DAY)
    assert proofs.digest("ola@uio.no") == proofs.digest("ola@uio.no") != proofs.digest("kari@uio.no")
    assert CollegeProofs(load(tmp_path / "other"), DAY).digest("ola@uio.no") != proofs.digest("ola@uio.no")


def test_without_a_mail_server_there_are_no_proofs(secret: Keys) -> None:
    assert make_proofs(Settings(), secret) is None
    assert make_proofs(Settings(mail=Mail(host="localhost")), secret) is not None
