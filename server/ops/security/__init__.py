"""Keys, tokens, identities, unguessable numbers. Rule: every secret of the service is made or opened here."""

from ext import plain

plain.choose()
