"""Run searches and chats: from a find to a match, a chat from its beginning to its end, absences, and what is asked or checked on the way."""
