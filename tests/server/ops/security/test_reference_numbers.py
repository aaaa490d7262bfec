"""A number is read as it was given, or a slip is found."""

from server.ops.security.reference_numbers import ALPHABET, number, read, shown, valid


def test_a_number_has_13_characters_and_is_valid() -> None:
    drawn = {number() for _ in range(500)}
    assert len(drawn) == 500
    assert all(len(one) == 13 and valid(one) for one in drawn)


def test_any_single_wrong_character_is_found() -> None:
    one = number()
    for place in range(len(one)):
        for other in ALPHABET.replace(one[place], ""):
            assert not valid(one[:place] + other + one[place + 1 :])


def test_a_number_is_read_in_every_spelling() -> None:
    for _ in range(200):
        drawn = number()
        spelled = shown(drawn).lower().replace("0", "o").replace("1", "l")
        assert read(f" {spelled} ") == drawn
        assert read(spelled.replace("-", " ")) == drawn


def test_a_text_without_a_number_is_not_read() -> None:
    for text in ("", "x", "A" * 14, "Ä" * 13, "0" * 12 + "\0", "1" * 10_000):
        assert read(text) is None


def test_what_is_no_number_is_refused() -> None:
    for text in ("", "I" * 13, number()[:-1], number() + "0", number().lower().replace("0", "o") + "é"):
        assert not valid(text)
