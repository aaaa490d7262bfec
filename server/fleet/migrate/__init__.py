"""A process hands everything that it has to its successor, while people talk. Rule: at every moment exactly one of them has a person."""

from ext import plain

plain.choose()
