"""Test the compilation of rule files: which of an operator's files are refused, and what is counted."""

from pathlib import Path

import pytest

from server.trust.screening.rule_compiler import FILE_MAX, FILES_MAX, BadRules, compile_operator_rules, open_phrases
from server.trust.screening.screening_rules import read_rules


@pytest.mark.parametrize(
    "text",
    [
        "[hate.model]\nwords = ['a']",
        "[nothing]\nwords = ['a']",
        "[link]\nages = ['{age}']",
        "[link]\nwords = 'a'",
        "[link]\nwords = ['']",
        "[link]\nwords = ['...']",
        "[link]\nwords = ['ab*']",
        "[link]\nwords = ['a* b']",
        "[link]\nwords = ['a b c d e f g h i']",
        "[link",
        "a = " + "[" * 5_000,
        "link = 3",
        "#" * (FILE_MAX + 1),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(BadRules, match=r"own\.toml"):
        read_rules(tmp_path)


def test_a_folder_without_a_phrase_makes_nothing_and_one_with_too_many_files_is_refused(tmp_path: Path) -> None:
    assert compile_operator_rules(tmp_path) is compile_operator_rules(tmp_path / "missing") is None
    for number in range(FILES_MAX + 1):
        (tmp_path / f"{number}.toml").write_text("")
    with pytest.raises(BadRules, match="more than 64 files"):
        compile_operator_rules(tmp_path)


def test_stems_and_harmless_phrases_of_an_operator_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[hate]\nwords = ["grumble*", "two words"]\nallow = ["not two words"]\n')
    compiled = compile_operator_rules(tmp_path)
    assert compiled is not None
    phrases = open_phrases(compiled)
    assert phrases.phrases == 3
    assert set(phrases.stems) == {"gru"}
