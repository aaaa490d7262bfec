"""Define stored data as other packages see it: protocols of the store, rows of a chat, transcripts, countries of addresses."""
