"""What a chat costs the server, part by part. Rule: time by clock, shares by instruction counts; nothing is guessed."""
