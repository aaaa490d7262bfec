"""What is kept: schema, writer, saved logs. Rule: one person per row; nothing here is written that the privacy registry does not declare."""

from ext import plain_source

plain_source.choose()
