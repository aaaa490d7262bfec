"""Keep the evidence of a report: the text of its chat, and pictures."""
