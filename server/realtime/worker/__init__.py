"""One reactor and one engine in one loop, and what carries between them. Rule: nothing is decided here."""

from ext import plain_source

plain_source.choose()
