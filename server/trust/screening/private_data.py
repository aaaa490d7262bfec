"""Match data that identify a person in a folded chat line: payment cards, bank accounts, documents, telephones, and houses of a street.

Check digits are verified, and a row of digits whose check digits are wrong is no match.
**Invariant:** only lines with a digit are tried; a pattern is tested at no more than ROWS_MAX positions of a piece of the line.
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import Final

ROWS_MAX: Final = 4
NAME_MIN, NAME_MAX = 3, 30  # letters of a street's name before the word for a street
Span = tuple[int, int]
_CARD: Final = re.compile(r"[2-6](?<![\w.][2-6])(?:[ -]?\d){12,18}(?![\w])")
_IBAN: Final = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?(?!\w)")
_DIGITS: Final = re.compile(r"(?<![\w.,+])\d(?:[ ./()-]{0,2}\d){8,14}(?!\w|[.,]\d)")
_LETTERED: Final = re.compile(r"(?<!\w)[xyz]?\d{7,8}[ -]?[a-z](?!\w)")
_PHONES: Final = re.compile(
    r"(?<![\w.,+:/-])(?:(?:\+|00)[1-9](?:[ ./()-]{0,2}\d){7,13}|[2-9]\d{2}[2-9]\d{6}|\(?\d{3}\)?[ .-]\d{3,4}[ .-]\d{3,4}(?! and \d)"
    r"|\(\d{2,5}\) ?\d[\d -]{4,9}\d|0[1-9]\d{0,3}[ /.-]?\d(?:[ .-]?\d){5,8}|[89]\d\d[ -]\d\d[ -]\d\d\d|0[1-9](?: \d{2}){3,4}"
    r"|8[ -]?\(?9\d\d\)?[ -]?\d{3}[ -]?\d\d[ -]?\d\d|0\d-\d{4}-\d{4}|0[789]0-\d{4}-\d{4}|05\d{8}|01[0125]\d{8})(?![\w/:]|[.,-]\d)"
)
_STREET: Final = re.compile(
    r"(?:stra(?:ß|ss)e|str\.?|gasse|allee|(?<!unter)weg|platz|veien|vegen|gat[ea]n?|svingen|bakken|stien)"
    r" \d{1,4} ?[a-h]?(?![\w:.,]\d|\w| (?:uhr|min|kroner|kr|euro))"
)
_BLOCK: Final = re.compile(r"(?:市|区|町|村|丁目)[^\s\d]{0,8}\d{1,4}(?:丁目|番|-\d)")
_LONG_ALPHABET: Final = {letter: str(ord(letter) - 87) for letter in "abcdefghijklmnopqrstuvwxyz"}
_DNI: Final = "trwagmyfpdxbnjzsqvhlcke"
_IBAN_LENGTHS: Final = {
    "ad": 24, "ae": 23, "at": 20, "be": 16, "bg": 22, "ch": 21, "cy": 28, "cz": 24, "de": 22, "dk": 18, "ee": 20, "es": 24, "fi": 18, "fr": 27,
    "gb": 22, "gr": 27, "hr": 21, "hu": 28, "ie": 22, "is": 26, "it": 27, "jo": 30, "kw": 30, "lb": 28, "li": 21, "lt": 20, "lu": 20, "lv": 21,
    "mc": 27, "mt": 31, "nl": 18, "no": 15, "pl": 28, "pt": 25, "qa": 29, "ro": 24, "sa": 24, "se": 24, "si": 19, "sk": 24, "tn": 24, "tr": 26,
    "ua": 29, "br": 29, "eg": 29,
}  # fmt: skip


def find_card_number(line: str) -> Span | None:
    """Return the span of 13 to 19 digits that begin as a payment card's do and have a valid check digit (ISO/IEC 7812-1)."""
    for found in islice(_CARD.finditer(line), ROWS_MAX):
        digits = _digits(found[0])
        if len(set(digits)) > 1 and is_luhn(digits):
            return found.span()
    return None


def find_iban(line: str) -> Span | None:
    """Return the span of an international bank account number with valid length and check digits (ISO 13616)."""
    for found in islice(_IBAN.finditer(line), ROWS_MAX):
        text = "".join(char for char in found[0] if char.isalnum())
        size = _IBAN_LENGTHS.get(text[:2], 0)
        if size and len(text) >= size and _mod97(text[4:size] + text[:4]) == 1:
            return found.span()
    return None


def find_document(line: str) -> Span | None:
    """Return the span of a document's number that its check digits prove: see `DOCUMENTS`."""
    for found in islice(_DIGITS.finditer(line), ROWS_MAX):
        digits = _digits(found[0])
        if len(set(digits)) > 2 and any(check(found[0], digits) for check in DOCUMENTS):
            return found.span()
    for found in islice(_LETTERED.finditer(line), ROWS_MAX):
        if _is_dni(found[0]):
            return found.span()
    return None


def find_phone(line: str) -> Span | None:
    """Return the span of digits in the groups of a telephone number, with or without the code of a country."""
    for found in islice(_PHONES.finditer(line), ROWS_MAX):
        if len(set(_digits(found[0]))) > 2 and not is_within_account(line, found.start()):
            return found.span()
    return None


def is_within_account(line: str, begin: int) -> bool:
    """Whether a number that begins there is a group of a bank account's or a card's: "0044" in "de89 3704 0044 0532 0130 00"."""
    return any(span and span[0] < begin < span[1] for span in (find_iban(line), find_card_number(line)))


def find_street(line: str) -> Span | None:
    """Return the span of a street's name and a house's number where the word for a street is a part of the name."""
    for found in _STREET.finditer(line):
        begin = found.start()
        while begin > 0 and found.start() - begin < NAME_MAX and (line[begin - 1].isalpha() or line[begin - 1] == "_"):
            begin -= 1
        if found.start() - begin >= NAME_MIN:
            return begin, found.end()
    block = None if line.isascii() else _BLOCK.search(line)
    return block.span() if block else None


def is_luhn(digits: list[int]) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = [2 * digit - 9 if digit > 4 else 2 * digit for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _digits(text: str) -> list[int]:
    return [int(char) for char in text if "0" <= char <= "9"]


def _mod97(text: str) -> int:
    return int("".join(_LONG_ALPHABET.get(char, char) for char in text)) % 97


def _is_social_security(text: str, digits: list[int]) -> bool:
    """United States: nine digits in groups of three, two and four; no check digit, but rows that are never given."""
    if [len(part) for part in re.split("[ -]", text)] != [3, 2, 4]:
        return False
    area = int(text[:3])
    return area not in (0, 666) and area < 900 and any(digits[3:5]) and any(digits[5:])


def _is_cpf(_: str, digits: list[int]) -> bool:
    """Brazil."""
    if len(digits) != 11:
        return False
    for size in (9, 10):
        rest = 10 * sum((size + 1 - at) * digits[at] for at in range(size)) % 11 % 10
        if rest != digits[size]:
            return False
    return True


def _is_fodselsnummer(_: str, digits: list[int]) -> bool:
    """Norway: a date of birth, a number, and two check digits."""
    if len(digits) != 11 or not (1 <= digits[0] * 10 + digits[1] <= 31 and 1 <= digits[2] * 10 + digits[3] <= 12):
        return False
    first = sum(weight * digit for weight, digit in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits, strict=False)) % 11
    second = sum(weight * digit for weight, digit in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), digits, strict=True)) % 11
    return first == 0 and second == 0


def _is_nir(_: str, digits: list[int]) -> bool:
    """France: sex, year and month of birth, place, order, and a key of two digits."""
    if len(digits) != 15 or digits[0] not in (1, 2) or not 1 <= digits[3] * 10 + digits[4] <= 12:
        return False
    number = int("".join(map(str, digits[:13])))
    return 97 - number % 97 == digits[13] * 10 + digits[14]


def _is_snils(text: str, digits: list[int]) -> bool:
    """Russia: three groups of three digits, and a sum of two."""
    if len(digits) != 11 or "-" not in text:
        return False
    total = sum((9 - at) * digits[at] for at in range(9)) % 101 % 100
    return total == digits[9] * 10 + digits[10]


def _is_steuer_id(text: str, digits: list[int]) -> bool:
    """Germany: eleven digits in groups of two and three, with a check digit (ISO 7064, mod 11, 10)."""
    if len(digits) != 11 or digits[0] == 0 or [len(part) for part in text.split()] not in ([2, 3, 3, 3], [11]):
        return False
    if max(digits[:10].count(digit) for digit in digits[:10]) not in (2, 3):
        return False
    rest = 10
    for digit in digits[:10]:
        rest = 2 * ((digit + rest) % 10 or 10) % 11
    return (11 - rest) % 10 == digits[10]


def _is_dni(text: str) -> bool:
    """Spain: eight digits, or a letter and seven, and a letter that is their remainder."""
    plain = text.replace(" ", "").replace("-", "")
    number = plain[:-1].replace("x", "0").replace("y", "1").replace("z", "2")
    return len(plain) == 9 and number.isdecimal() and _DNI[int(number) % 23] == plain[-1]


DOCUMENTS: Final[tuple[Callable[[str, list[int]], bool], ...]] = (
    _is_social_security,
    _is_cpf,
    _is_fodselsnummer,
    _is_nir,
    _is_snils,
    _is_steuer_id,
)
# Rule, the decimal digits that a match has at the least, and the search.
PATTERNS: Final = (
    ("private.card", 13, find_card_number),
    ("private.iban", 2, find_iban),
    ("private.document", 7, find_document),
    ("private.phone", 4, find_phone),
    ("contact.phone", 4, find_phone),
    ("private.address", 1, find_street),
)


_NO_NAME: Final = r"(?!(?:the|a|my|of|on|down|this|that|our|your|and|or|in|to|at)\b)[a-z0-9'.-]{3,20}"
_HOUSE_BEFORE: Final = re.compile(rf"(?<![\w.,:])\d{{1,5}}[a-d]?,? (?:[nsew]\.? )?{_NO_NAME}(?: {_NO_NAME})? \Z")
_HOUSE_BEHIND: Final = re.compile(
    r"\.?\s(?:[\w.'’-]{1,20},?\s){1,5}?(?:n[º°.]{0,2}\s?|#\s?|num\s|número\s|numero\s|дом\s|д\.?\s?|رقم\s)?"
    r"\d{1,5}(?![\w%:])"
).match
_NUMBER_BEFORE: Final = re.compile(r"(?<![\w.,:])\d{1,4}(?:\s?(?:bis|ter))?,?\s\Z")
_DOCUMENT: Final = re.compile(
    r"(?:[\s:=#№.-]|(?:is|no|nr|number|card|nummer|ist|lautet|es|est|é|er|número|numero|numéro|номер|رقم)\b){0,8}"
    r"((?=[a-z]{0,5} ?\d)[a-z0-9](?:[ ./-]?[a-z0-9]){4,19})(?!\w)"
).match
_DOCUMENT_DIGITS: Final = 5
_NUMBER: Final = re.compile(
    r"\W{0,3}(?:(?:is|ist|es|est|é|er|at|on)\W{1,2})?\+?\(?\d(?:[ ().-]{0,2}\d){6,14}(?!\w)"
).match
_DIGITS_NEAR: Final = re.compile(r"\D{1,24}\d").match


def _house_before(line: str, begin: int, end: int) -> Span | None:
    """Return the span of a house's number and a street's name before the word for a street: "12 baker street"."""
    found = _HOUSE_BEFORE.search(line, max(begin - 52, 0), begin)
    return (found.start(), end) if found else None


def _number_before(line: str, begin: int, end: int) -> Span | None:
    """Return the span of a house's number before the word for a street, whose name is behind: "12 rue de la paix"."""
    found = _NUMBER_BEFORE.search(line, max(begin - 10, 0), begin)
    return (found.start(), end) if found and line[end : end + 2].strip() else None


def _house_behind(line: str, begin: int, end: int) -> Span | None:
    """Return the span of a street whose name and number are behind the word for it: "calle mayor 5"."""
    found = _HOUSE_BEHIND(line, end)
    return (begin, found.end()) if found else None


def _document_behind(line: str, begin: int, end: int) -> Span | None:
    """Return the span of a document's name and a number behind it."""
    found = _DOCUMENT(line, end)
    if found is None or sum([char.isdigit() for char in found[1]]) < _DOCUMENT_DIGITS:
        return None
    return begin, found.end()


def _number_behind(line: str, begin: int, end: int) -> Span | None:
    """Return the span of a word for a telephone and a number behind it, however it is grouped."""
    found = _NUMBER(line, end)
    return (begin, found.end()) if found else None


def _digits_near(line: str, begin: int, end: int) -> Span | None:
    """Return the span of a word for an address and what follows up to a digit."""
    found = _DIGITS_NEAR(line, end)
    return (begin, found.end()) if found else None


# Patterns beside a phrase, by the name under which a rule file has them. Each gets the line, and where the phrase begins and ends.
BESIDE: Final[dict[str, Callable[[str, int, int], Span | None]]] = {
    "house_before": _house_before,
    "number_before": _number_before,
    "house_behind": _house_behind,
    "document": _document_behind,
    "number": _number_behind,
    "digits": _digits_near,
}
