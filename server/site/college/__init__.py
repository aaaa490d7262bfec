"""College mode: an address at an academic domain is proved by a mail, and the proof lives in the browser.

Rule: the server keeps a keyed hash of the address, in memory and for an hour; the address itself only until its mail is out.
"""
