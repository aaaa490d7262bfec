"""What is compiled of the catalogues says the same as they do, and is taken for these alone."""

import shutil
from pathlib import Path

import pytest

from server.http.words import catalogue
from server.http.words.compiled_catalogues import COMPILED, FOLDER, digest, load
from server.http.words.po_files import compile_into, everything
from tests.server.http.words.conftest import RUSSIAN, Folder


def test_what_the_build_compiled_is_what_the_catalogues_say() -> None:
    there = load(FOLDER)
    assert there is not None, "run: make build"
    assert there == {"digest": digest(FOLDER), **everything(FOLDER)}


def test_a_folder_is_said_the_same_with_what_was_compiled_of_it_and_without(folder: Folder, tmp_path: Path) -> None:
    here = folder(ru=RUSSIAN.replace("ещё {n}", "", 1))
    without = catalogue.words(here), catalogue.users(here), catalogue.languages(here)
    again = tmp_path / "again"
    shutil.copytree(here, again)
    compile_into(again, here)
    assert load(again) is not None
    assert (catalogue.words(again), catalogue.users(again), catalogue.languages(again)) == without


@pytest.mark.parametrize("name", ["ru.po", "words.pot"])
def test_another_catalogue_is_not_said_by_it(folder: Folder, name: str) -> None:
    here = folder(ru=RUSSIAN)
    compile_into(here, here)
    assert load(here) is not None
    (here / name).write_bytes((here / name).read_bytes() + b"\n")
    assert load(here) is None


def test_a_language_more_is_not_said_by_it(folder: Folder) -> None:
    here = folder(ru=RUSSIAN)
    compile_into(here, here)
    shutil.copy(here / "ru.po", here / "uk.po")
    assert load(here) is None
    assert catalogue.languages(here) == ("en", "ru", "uk")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"languages": {}}'])
def test_a_damaged_one_is_none(folder: Folder, body: bytes) -> None:
    here = folder(ru=RUSSIAN)
    (here / COMPILED).write_bytes(body)
    assert load(here) is None
    assert catalogue.words(here)["ru"].table["hello"] == "Привет, {name}"
