"""Test rights keys and agents' codes."""

from pathlib import Path

import pytest

from server.ops.security import secret_keys
from server.trust.data_requests.identity_proof import AGENT, DELETE, KNOW, WHOLE
from server.trust.data_requests.rights_key import CHARACTERS_MAX, CODE_DAYS, RightsKeys

NOW = 1_795_000_000
ME = 2**63 - 5


def made(data: Path) -> RightsKeys:
    """As the service has them after a start."""
    return RightsKeys(secret_keys.load(data))


def test_a_key_opens_after_rotations_and_restarts_and_on_another_host(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    key = made(here).key(ME, NOW * 1000)
    for _ in range(2):
        secret_keys.rotate(here)
    (there / secret_keys.EPOCHS).mkdir(parents=True, mode=0o700)
    lasting = there / secret_keys.EPOCHS / "identity.key"
    lasting.write_bytes((here / secret_keys.EPOCHS / "identity.key").read_bytes())
    lasting.chmod(0o600)
    secret_keys.load(there, renew=True)  # as `serendip init` does, since its own is missing
    for data in (here, there):
        opened = made(data).open(key, NOW + 10 * 365 * 86_400)
        assert opened is not None
        assert (opened.identity, opened.issued, opened.scope, opened.agent) == (ME, NOW * 1000, WHOLE, False)


def test_another_service_opens_nothing(tmp_path: Path) -> None:
    assert made(tmp_path / "a").open(made(tmp_path / "b").key(ME, NOW), NOW) is None


def test_a_key_says_nothing_and_no_two_are_alike(tmp_path: Path) -> None:
    mine = made(tmp_path)
    found = {mine.key(ME, NOW) for _ in range(100)}
    assert len(found) == 100
    assert all(key.startswith("sr1.") and len(key) < CHARACTERS_MAX for key in found)


@pytest.mark.parametrize("scope", [{KNOW}, {DELETE}, AGENT], ids=["know", "delete", "both"])
def test_a_code_opens_its_scope_for_fourteen_days(tmp_path: Path, scope: frozenset[str]) -> None:
    mine = made(tmp_path)
    code = mine.code(ME, NOW * 1000, frozenset(scope))
    opened = mine.open(code, NOW + CODE_DAYS * 86_400 - 1)
    assert opened is not None
    assert (opened.identity, opened.scope, opened.agent) == (ME, scope, True)
    assert mine.open(code, NOW + CODE_DAYS * 86_400) is None


def test_nothing_forged_opens(tmp_path: Path) -> None:
    mine = made(tmp_path)
    key, code = mine.key(ME, NOW), mine.code(ME, NOW * 1000, AGENT)
    assert mine.open("sa1." + key[4:], NOW) is None
    assert mine.open("sr1." + code[4:], NOW) is None
    for place in range(4, len(key)):
        changed = key[:place] + ("A" if key[place] != "A" else "B") + key[place + 1 :]
        opened = mine.open(changed, NOW)
        assert opened is None or changed[:-1] == key[:-1], "only spare bits of the last character change nothing"
    for text in ("", "sr1.", "sr1.!", "sr1.é", "x" * 200, key * 5, "sa1.AAAA"):
        assert mine.open(text, NOW) is None
