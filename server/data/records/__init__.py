"""Define stored data as the other wings know it: the ports of the store, the rows of a chat, a transcript."""
