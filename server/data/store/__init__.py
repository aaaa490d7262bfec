"""Run the store (database and objects) in the server: open it, write chat records in batches, restore backups."""

from ext import compiled_module_switch

compiled_module_switch.choose()
