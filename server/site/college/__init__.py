"""Run college mode: a user proves a mail address at an academic domain by a mail, and the browser keeps the proof.

**Invariant:** the server keeps a keyed hash of the address, in memory and for an hour; the address itself only until its mail is sent.
"""
