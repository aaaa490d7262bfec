"""The servers of a call: what the settings say, with credentials that run out and name nobody."""

import base64
import hashlib
import hmac
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from server.main.cli import app
from server.ops.config.settings import Video
from server.ops.security import secret_keys
from server.realtime.video.ice_servers import IceServers, turn_secret

TURN = Video(
    stun=("stun:stun.example:3478",), turn=("turn:turn.example:3478?transport=udp",), turn_secret=SecretStr("s")
)


def session(relay: bool) -> Any:
    """As much of a session as is looked at."""
    return SimpleNamespace(seat=SimpleNamespace(chat=SimpleNamespace(relay=relay)))


def test_a_credential_runs_out_names_nobody_and_opens_the_turn_server() -> None:
    made = [IceServers(TURN, "s", lambda: 1_000.5).credential() for _ in range(2)]
    assert made[0] != made[1]
    for credential in made:
        expiry, name = credential["username"].split(":")
        assert int(expiry) == 1_000 + TURN.turn_lifetime
        assert len(name) == 24
        digest = hmac.new(b"s", credential["username"].encode(), hashlib.sha1).digest()
        assert base64.b64decode(credential["credential"]) == digest


def test_where_an_address_is_hidden_there_are_relays_only() -> None:
    ice = IceServers(TURN, "s")
    assert [server["urls"] for server in ice.servers(session(False))] == [list(TURN.stun), list(TURN.turn)]
    assert [server["urls"] for server in ice.servers(session(True))] == [list(TURN.turn)]


def test_a_turn_server_serves_as_stun_where_none_is_named() -> None:
    chosen = Video(
        turn=("turn:t.example:3478?transport=udp", "turn:t.example:3478?transport=tcp", "turns:t.example:443")
    )
    assert IceServers(chosen, "s").servers(session(False))[0] == {
        "urls": ["stun:t.example:3478", "stuns:t.example:443"]
    }


def test_without_servers_the_list_is_empty() -> None:
    assert IceServers(Video(), "s").servers(session(False)) == []


@pytest.mark.parametrize("url", ["http://x", "turn:", "turn:a b", "turn:x?transport=sctp", "stun:x"])
def test_a_turn_address_that_is_none_is_an_error_at_the_start(url: str) -> None:
    with pytest.raises(ValidationError):
        Video(turn=(url,))


def test_the_secret_is_the_operators_or_a_sub_key_and_a_command_prints_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = secret_keys.load(tmp_path)
    assert turn_secret(TURN, held) == "s"
    assert len(turn_secret(Video(), held)) == 64
    printed = CliRunner().invoke(app, ["keys", "turn", "--data", str(tmp_path)])
    assert printed.output.strip() == turn_secret(Video(), held)
    monkeypatch.setenv("SERENDIP_VIDEO__TURN_SECRET", "never shown")
    shown = CliRunner().invoke(app, ["config", "--json", "--data", str(tmp_path)])
    assert "never shown" not in shown.output
