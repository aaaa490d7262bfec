"""Keep the evidence of a report: the text of the chat, and pictures of the reported camera."""
