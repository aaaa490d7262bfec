"""Test the letters of each language: every value is filled in, and no header takes more than a line."""

import pytest

from server.http.words.sentence_formatter import said
from server.ops.config.settings import Mail, Settings
from server.trust.data_requests.incoming_mail import IncomingMail
from server.trust.data_requests.request_states import KINDS
from server.trust.rights.request_letters import RequestLetters
from tests.server.data.conftest import NOW

SETTINGS = Settings(mail=Mail(host="mail.example", sender="Serendip <privacy@chat.example>"))


@pytest.mark.parametrize("language", [*said(), "xx", ""])
def test_a_letter_is_whole_in_its_language(language: str) -> None:
    came = IncomingMail("ann@example.org", "know", "words", False, language, bytes(32), "<1@example.org>")
    letters = RequestLetters(SETTINGS, "https://chat.example")
    made = [letters.receipt(came, kind, "7KQ2M3ZP9XW4T", "s" * 22, NOW) for kind in KINDS] + [letters.shine(came)]
    for letter in made:
        text = letter.get_content()
        assert letter["Content-Language"] == (language if language in said() else "en")
        assert letter["In-Reply-To"] == "<1@example.org>"
        assert "{" not in text + letter["Subject"]
        assert "https://chat.example/privacy/request" in text
        assert "words" not in text
        assert all("\n" not in str(value) for value in letter.values())
