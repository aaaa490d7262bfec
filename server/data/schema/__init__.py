"""Define the tables of the database, ids of chats, and conditions over rows that several parts share."""
