"""Translate the sentences of web page, documents and mails.

**Invariant:** the English sentences are in locale/words.pot, and translations in locale/<language>.po; everything else is derived from these files.
"""
