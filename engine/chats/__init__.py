"""Run searches and chats: from a `find` to a match, a chat from beginning to end, absences, and the checks and questions on the way."""
