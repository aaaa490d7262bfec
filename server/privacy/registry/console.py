"""What is kept of operators: accounts, passkeys, sessions, what two of them did. Rule: of staff, and under pseudonyms; never of people who chat."""

from __future__ import annotations

from server.console.sessions import COOKIE, LONGEST
from server.privacy.model import Basis, Column, Cookie, Days, Delete, Export, Item, Memory, While
from server.privacy.registry.terms import COURT, HOSTING, OPERATOR, PERSON, SAFETY, A, F
