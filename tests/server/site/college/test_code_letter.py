"""The mail with the code: what it is for, how to use it, and what to do who did not ask."""

from server.http.words.sentence_formatter import said
from server.site.college.code_letter import write_letter


def test_a_letter_has_the_code_the_link_and_no_more_of_the_person_than_the_envelope_needs() -> None:
    letter = write_letter(
        "Serendip <no-reply@chat.example>",
        "ola@uio.no",
        "012345",
        "https://chat.example/college/x",
        "uio.no",
        said()["en"],
    )
    body = letter.get_content()
    assert letter["Subject"] == "012345 is your Serendip code"
    assert "https://chat.example/college/x\n" in body
    assert "ola" not in body
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@chat.example>")


def test_a_letter_is_written_in_the_language_of_whoever_asked() -> None:
    letter = write_letter(
        "no-reply@chat.example", "a@keio.ac.jp", "012345", "https://chat.example/college/x", "keio.ac.jp", said()["ja"]
    )
    assert letter["Content-Language"] == "ja"
    assert said()["ja"].text("mail.careful", college="keio.ac.jp") in letter.get_content()
    assert "012345" in letter["Subject"]
