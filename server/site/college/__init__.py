"""Run college mode: users prove a mail address at a university by a code or link in a mail, and their browser stores the proof.

**Invariant:** the server keeps only a keyed hash of the address, in memory, for an hour; the address itself only until the mail is sent.
"""
