"""Write the translation catalogues (.po files).

**Invariant:** the same sentences always give the same bytes: in source order, without dates, program names or line numbers.
"""

import io
from collections.abc import Mapping, Sequence

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po

from server.http.words.language_data import categories
from server.http.words.po_files import messages

_HEAD = """\
# {title}
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
{more}
"""
_SOURCE = """The sentences of the page and the documents, in English: the source. Write sentences here; `make words` does the rest.
# msgctxt is the key that the code uses. "at most N characters" bounds what stands where there is little room."""
_OTHER = "Serendip in {name}. Write msgstr, and nothing else: `make words` does the rest."


def written(catalogue: Catalog, head: str) -> bytes:
    """Return the file of a catalogue, below its `head`."""
    file = io.BytesIO()
    write_po(
        file, catalogue, width=-1, omit_header=True, include_lineno=False, ignore_obsolete=True, include_previous=True
    )
    return head.encode() + b"\n" + file.getvalue()


def source_file(old: Catalog, users: Mapping[str, Sequence[str]]) -> bytes:
    """Return the source catalogue with the files that use each sentence."""
    new = Catalog()
    for key, message in messages(old).items():
        places = [(name, 0) for name in sorted(users.get(key, ()))]
        _add(new, key, message, message, places)
    return written(new, _HEAD.format(title=_SOURCE, more='"Plural-Forms: nplurals=2; plural=(n != 1);\\n"'))


def language_file(source: Catalog, old: Catalog, language: str) -> bytes:
    """Return a translation updated to its source: new sentences empty, those whose English changed marked as fuzzy, others removed."""
    new = Catalog()
    new.mime_headers = old.mime_headers  # with the number of forms
    there = messages(old)
    for key, message in messages(source).items():
        _add(new, key, message, there.get(key) or _empty(message, language), [])
    name = old.locale.get_display_name("en") if old.locale else language
    more = f'"Language: {language}\\n"\n"Plural-Forms: nplurals={old.num_plurals}; plural={old.plural_expr};\\n"'
    return written(new, _HEAD.format(title=_OTHER.format(name=name), more=more))


def _empty(message: Message, language: str) -> Message:
    forms = tuple("" for _ in categories(language))
    return Message(message.id, "" if isinstance(message.id, str) else forms, context=message.context)


def _add(new: Catalog, key: str, source: Message, said: Message, places: list[tuple[str, int]]) -> None:
    """Add `key` to `new`, with the English of `source` and the translation of `said`."""
    changed = said.id != source.id
    plural = isinstance(source.id, tuple | list)
    string = said.string if plural == isinstance(said.string, tuple | list) else ("" if not plural else ("",))
    before = said.id if isinstance(said.id, tuple | list) else (said.id,)
    new.add(
        source.id, string, locations=places, context=key, auto_comments=source.auto_comments, user_comments=said.user_comments,
        flags=said.flags | ({"fuzzy"} if changed and any(string or ()) else set()),
        previous_id=list(before) if changed else said.previous_id,
    )  # fmt: skip
