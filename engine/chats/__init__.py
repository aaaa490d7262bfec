"""Run searches and chats: from a `find` frame to a match, a chat from beginning to end, lost connections, and the checks and questions in between."""
