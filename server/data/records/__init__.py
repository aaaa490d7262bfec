"""Define stored data as other packages see it: protocols of the store, rows of a chat, transcripts, countries of addresses."""

from ext import compiled_module_switch

compiled_module_switch.choose()
