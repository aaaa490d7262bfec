"""Run the store: open it, write chat records in batches, and restore backups."""

from ext import plain_source

plain_source.choose()
