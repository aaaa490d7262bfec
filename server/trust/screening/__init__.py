"""The screening of text, behind its delivery and in a process of its own. Rule: it has no database, no key and no file to write; no text leaves it.

`screener` is the server's side: it starts the process, and takes what it found. All else runs in that process.
"""
