"""Operators' commands, one module a group. Rule: a command that changes or looks up something about a person leaves an audit row."""
