"""Define the tables of the database, the ids of chats, and SQL conditions that several packages share."""

from ext import compiled_module_switch

compiled_module_switch.choose()
