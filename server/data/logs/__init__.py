"""The pages of saved logs. Rule: no script needed, text as text, nothing about a person, and deleting is a POST behind a page."""
