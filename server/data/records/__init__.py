"""Define stored data as other packages know it: the ports of the store, the rows of a chat, transcripts, countries."""
