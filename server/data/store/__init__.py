"""Run the store (database and objects) in the server: open it, write chat records in batches, restore backups."""

from ext import plain_source

plain_source.choose()
