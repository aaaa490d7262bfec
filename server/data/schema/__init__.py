"""Define the tables of the database, the ids of chats, and SQL conditions that several packages share."""
