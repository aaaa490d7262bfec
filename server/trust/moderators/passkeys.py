"""Create and verify moderators' passkeys (WebAuthn).

**Invariant:** every passkey is a discoverable credential with user verification (such as a PIN), bound to one origin.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from server.trust.moderators.passkey_challenges import LIFE, Challenges

LARGEST = 16_384  # characters of an answer; real ones have below two thousand
NAME = "Serendip console"
SIGN_IN = "sign in"


class NotProved(Exception):
    """An answer that does not verify; the text is the cause, a word of WHY."""


WHY = ("malformed", "challenge", "untrue", "unknown", "counter", "invitation")


@dataclass(frozen=True, slots=True)
class Credential:
    """A public key as stored: `data` includes its id."""

    id: bytes
    data: bytes
    counter: int


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """A browser's answer to a challenge, not yet verified. `handle`: of the account that it claims."""

    id: bytes
    handle: bytes | None
    challenge: bytes
    answer: Any  # fido2.webauthn.AuthenticationResponse


class Passkeys:
    """Passkeys of one origin (`https://console.example`), to which browsers bind them.

    Options for the page are JSON for `parseRequestOptionsFromJSON`; its answers are `toJSON()`. The library is imported at the console's first
    visit (`load`), because most servers have no visitor there.
    """

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
        """Import the library: it reads files, 40 ms. Call it in a thread, before the other methods."""
        self._server  # noqa: B018 - a cached property
        self.loaded = True

    def ask_new(self, name: str, handle: bytes, purpose: str) -> str:
        """Return the options for creating a passkey, as JSON."""
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
        """Return the options for using a passkey, as JSON."""
        options, _ = self._begun(self._challenges.make(purpose))
        return json.dumps(dict(options.public_key))

    def made(self, text: str, purpose: str) -> Credential:
        """Verify a new passkey and return it. Raises NotProved."""
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

    def shown(self, text: str, purpose: str) -> PasskeyAnswer:
        """Parse an answer to find its passkey's id, before the key is looked up. Raises NotProved."""
        from fido2.webauthn import AuthenticationResponse

        answer = _read(text, AuthenticationResponse)
        return PasskeyAnswer(answer.raw_id, answer.response.user_handle, self._asked(answer, purpose), answer)

    def proved(self, shown: PasskeyAnswer, kept: Credential) -> int:
        """Verify an answer against the stored key, and use up its challenge. Return the new counter. Raises NotProved."""
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
        """Return the options for using a passkey, and the library's state for verifying the answer to this challenge."""
        from fido2.webauthn import UserVerificationRequirement

        required = UserVerificationRequirement.REQUIRED
        begun: tuple[Any, Any] = self._server.authenticate_begin(user_verification=required, challenge=challenge)
        return begun

    def _asked(self, answer: Any, purpose: str) -> bytes:
        """Return the challenge of an answer. Raises NotProved unless it is open for this purpose."""
        challenge: bytes = answer.response.client_data.challenge
        if not self._challenges.is_open(challenge, purpose):
            raise NotProved("challenge")
        return challenge

    def _use(self, challenge: bytes) -> None:
        """Use up a challenge, after verification so that strangers cannot fill the table. Raises NotProved if another request was faster."""
        if not self._challenges.use(challenge):
            raise NotProved("challenge")


def _read(text: str, kind: Any) -> Any:
    """Parse a browser's answer. Raises NotProved if it is malformed."""
    if len(text) > LARGEST:
        raise NotProved("malformed")
    try:
        found = kind.from_dict(json.loads(text))
        found.response.client_data  # noqa: B018 - read now, so that a malformed one fails here
        return found
    except Exception:  # noqa: BLE001 - a library parses untrusted bytes: any exception means malformed
        raise NotProved("malformed") from None
