"""Update the translation catalogues from the sources, and check them: `python -m server.http.words`.

It records which files use a sentence, and marks new and changed sentences; it never changes a translation.
"""

import argparse
import sys
from pathlib import Path

from server.http.words.catalogue_writer import language_file, source_file
from server.http.words.compiled_catalogues import FOLDER, SOURCE
from server.http.words.po_files import english, languages, messages, read, source
from server.http.words.sentence_users import unknown, users
from server.http.words.translation_check import forbidden, wrong_in, wrong_in_source


def files(folder: Path = FOLDER) -> dict[str, bytes]:
    """Return the content that each catalogue should have, by its name."""
    original = source(folder)
    table = {key: english(message) for key, message in messages(original).items()}
    found = {SOURCE: source_file(original, users(table))}
    for language in languages(folder)[1:]:
        found[f"{language}.po"] = language_file(original, read(folder / f"{language}.po", language), language)
    return found


def wrong(folder: Path = FOLDER) -> list[str]:
    """List problems, as `catalogue: key: problem`."""
    original, never = source(folder), forbidden()
    table = {key: english(message) for key, message in messages(original).items()}
    found = [f"{SOURCE}: {name}: asked for, and not there" for name in unknown(table)]
    found += [f"{SOURCE}: {key}: not used" for key, names in users(table).items() if not names]
    found += [f"{SOURCE}: {what}" for what in wrong_in_source(original, never["en"])]
    for language in languages(folder)[1:]:
        name = f"{language}.po"
        if language not in never:
            found.append(f"{name}: forbidden.toml does not say what the language never says")
            continue
        found += [
            f"{name}: {what}" for what in wrong_in(language, read(folder / name, language), original, never[language])
        ]
    return found


def main() -> int:
    """Run the command; return 0 if there are no problems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; files that should be other are wrong")
    check = parser.parse_args().check
    stale = [name for name, body in files().items() if (FOLDER / name).read_bytes() != body]
    if not check:
        for name, body in files().items():
            (FOLDER / name).write_bytes(body)
        source.cache_clear()
    found = wrong() + [f"{name}: run make words" for name in stale if check]
    print("\n".join(found) or f"{len(messages(source()))} sentences in {len(languages())} languages: nothing is wrong")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
