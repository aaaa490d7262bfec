"""Passkeys: what the browser is asked, and whether what it brings is true. Rule: discoverable, user verification required, one origin.

What the page is given is the browser's own JSON (`parseRequestOptionsFromJSON`), what it brings is `toJSON()`. The library for it is imported
when somebody comes to the console (`Passkeys.load`): most servers that start are asked by nobody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from server.trust.operators.passkey_challenges import LIFE, Challenges

LARGEST = 16_384  # characters of an answer; real ones have below two thousand
NAME = "Serendip console"
SIGN_IN = "sign in"


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
    """What a browser brought in answer to a challenge, not yet checked against a key. `handle`: of the account that it says."""

    id: bytes
    handle: bytes | None
    challenge: bytes
    answer: Any  # fido2.webauthn.AuthenticationResponse


class Passkeys:
    """For one origin (`https://console.example`), which browsers bind every passkey to."""

    def __init__(self, origin: str, challenges: Challenges | None = None) -> None:
        self._challenges = challenges or Challenges()
        self._origin = origin
        self.loaded = False

    @cached_property
    def _server(self) -> Any:
        from fido2.server import Fido2Server
        from fido2.webauthn import PublicKeyCredentialRpEntity

        rp = PublicKeyCredentialRpEntity(name=NAME, id=urlsplit(self._origin).hostname)
        server = Fido2Server(rp, verify_origin=lambda said: said == self._origin)
        server.timeout = int(LIFE * 1000)  # type: ignore[assignment]  # untyped there; milliseconds
        return server

    def load(self) -> None:
        """Import what the rest needs; it reads files, 40 ms. Call it in a thread, before the rest."""
        self._server  # noqa: B018 - made when it is first asked for
        self.loaded = True

    def ask_new(self, name: str, handle: bytes, purpose: str) -> str:
        """The options for making a passkey, as JSON."""
        from fido2.webauthn import (
            PublicKeyCredentialUserEntity,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        user = PublicKeyCredentialUserEntity(id=handle, name=name, display_name=name)
        options, _ = self._server.register_begin(
            user,
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
            challenge=self._challenges.make(purpose),
        )
        return json.dumps(dict(options.public_key))

    def ask(self, purpose: str) -> str:
        """The options for showing a passkey, as JSON."""
        options, _ = self._begun(self._challenges.make(purpose))
        return json.dumps(dict(options.public_key))

    def made(self, text: str, purpose: str) -> Credential:
        """The passkey that a browser made. Raises NotProved."""
        from fido2.webauthn import RegistrationResponse

        answer = _read(text, RegistrationResponse)
        challenge = self._asked(answer, purpose)
        try:
            found = self._server.register_complete(self._begun(challenge)[1], answer)
        except (ValueError, AssertionError):
            raise NotProved("untrue") from None
        data = found.credential_data
        if data is None:
            raise NotProved("untrue")
        self._use(challenge)
        return Credential(data.credential_id, bytes(data), found.counter)

    def shown(self, text: str, purpose: str) -> Shown:
        """Which passkey a browser brought, before its key is looked up. Raises NotProved."""
        from fido2.webauthn import AuthenticationResponse

        answer = _read(text, AuthenticationResponse)
        return Shown(answer.raw_id, answer.response.user_handle, self._asked(answer, purpose), answer)

    def proved(self, shown: Shown, kept: Credential) -> int:
        """Check it against the key that is kept, and use the challenge up; the counter that is kept from here on. Raises NotProved."""
        from fido2.webauthn import AttestedCredentialData

        try:
            state = self._begun(shown.challenge)[1]
            self._server.authenticate_complete(state, [AttestedCredentialData(kept.data)], shown.answer)
        except ValueError:
            raise NotProved("untrue") from None
        counter: int = shown.answer.response.authenticator_data.counter
        if (counter or kept.counter) and counter <= kept.counter:
            raise NotProved("counter")  # a copy of the authenticator has been used
        self._use(shown.challenge)
        return counter

    def _begun(self, challenge: bytes) -> tuple[Any, Any]:
        """The options that ask for a passkey, and what the library checks the answer to this challenge against."""
        from fido2.webauthn import UserVerificationRequirement

        required = UserVerificationRequirement.REQUIRED
        begun: tuple[Any, Any] = self._server.authenticate_begin(user_verification=required, challenge=challenge)
        return begun

    def _asked(self, answer: Any, purpose: str) -> bytes:
        """The challenge that an answer is to. Raises NotProved for one that is not open for this purpose."""
        challenge: bytes = answer.response.client_data.challenge
        if not self._challenges.is_open(challenge, purpose):
            raise NotProved("challenge")
        return challenge

    def _use(self, challenge: bytes) -> None:
        """Only a true passkey uses a challenge up, so that strangers fill no table. Raises NotProved where another request was faster."""
        if not self._challenges.use(challenge):
            raise NotProved("challenge")


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
