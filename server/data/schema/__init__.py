"""Define the tables of the database, ids of chats, and SQL conditions that several packages share."""
