"""Translate sentences for page, documents and mails. **Invariant:** each sentence is in one place, locale/words.pot, and its translations in
locale/<language>.po; all other forms are derived from these.
"""
