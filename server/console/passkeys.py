"""Passkeys: what the browser is asked, and whether what it brings is true. Rule: discoverable, user verification required, one origin.

What the page is given is the browser's own JSON (`parseRequestOptionsFromJSON`), what it brings is `toJSON()`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from server.console.challenges import LIFE, Challenges

LARGEST = 16_384  # characters of an answer; real ones have below two thousand
NAME = "Serendip console"
SIGN_IN = "sign in"
REQUIRED = UserVerificationRequirement.REQUIRED


class NotProved(Exception):
    """The answer proves nothing; the text says why, in a word of WHY."""


WHY = ("malformed", "challenge", "untrue", "unknown", "counter", "invitation")


@dataclass(frozen=True, slots=True)
class Credential:
    """A public key, as it is kept: `data` has its id too."""

    id: bytes
    data: bytes
    counter: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser brought in answer to a question, not yet checked against a key. `handle`: of the account that it says."""

    id: bytes
    handle: bytes | None
    state: Any
    answer: AuthenticationResponse


class Passkeys:
    """For one origin (`https://console.example`), which browsers bind every passkey to."""

    def __init__(self, origin: str, challenges: Challenges | None = None) -> None:
        self._challenges = challenges or Challenges()
        rp = PublicKeyCredentialRpEntity(name=NAME, id=urlsplit(origin).hostname)
        self._server = Fido2Server(rp, verify_origin=lambda said: said == origin)
        self._server.timeout = int(LIFE * 1000)  # type: ignore[assignment]  # untyped there; milliseconds

    def ask_new(self, name: str, handle: bytes, purpose: str) -> str:
        """The options for making a passkey, as JSON."""
        user = PublicKeyCredentialUserEntity(id=handle, name=name, display_name=name)
        options, state = self._server.register_begin(
            user, resident_key_requirement=ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
        )
        self._challenges.put(options.public_key.challenge, purpose, state)
        return json.dumps(dict(options.public_key))

    def ask(self, purpose: str) -> str:
        """The options for showing a passkey, as JSON."""
        options, state = self._server.authenticate_begin(user_verification=REQUIRED)
        self._challenges.put(options.public_key.challenge, purpose, state)
        return json.dumps(dict(options.public_key))

    def made(self, text: str, purpose: str) -> Credential:
        """The passkey that a browser made. Raises NotProved."""
        answer = _read(text, RegistrationResponse)
        state = self._challenges.take(answer.response.client_data.challenge, purpose)
        if state is None:
            raise NotProved("challenge")
        try:
            found = self._server.register_complete(state, answer)
        except (ValueError, AssertionError):
            raise NotProved("untrue") from None
        data = found.credential_data
        if data is None:
            raise NotProved("untrue")
        return Credential(data.credential_id, bytes(data), found.counter)

    def shown(self, text: str, purpose: str) -> Shown:
        """Which passkey a browser brought, before its key is looked up. The question is used up. Raises NotProved."""
        answer = _read(text, AuthenticationResponse)
        state = self._challenges.take(answer.response.client_data.challenge, purpose)
        if state is None:
            raise NotProved("challenge")
        return Shown(answer.raw_id, answer.response.user_handle, state, answer)

    def proved(self, shown: Shown, kept: Credential) -> int:
        """Check it against the key that is kept; the counter that is kept from here on. Raises NotProved."""
        try:
            self._server.authenticate_complete(shown.state, [AttestedCredentialData(kept.data)], shown.answer)
        except ValueError:
            raise NotProved("untrue") from None
        counter: int = shown.answer.response.authenticator_data.counter
        if (counter or kept.counter) and counter <= kept.counter:
            raise NotProved("counter")  # a copy of the authenticator has been used
        return counter


def _read(text: str, kind: Any) -> Any:
    """An answer of the browser. Raises NotProved for everything that is none."""
    if len(text) > LARGEST:
        raise NotProved("malformed")
    try:
        found = kind.from_dict(json.loads(text))
        found.response.client_data  # noqa: B018 - read now, so that what is wrong with it is told here
        return found
    except Exception:  # noqa: BLE001 - a library reads a stranger's bytes: whatever it raises, they are no answer
        raise NotProved("malformed") from None
