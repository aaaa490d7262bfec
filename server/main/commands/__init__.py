"""Implement the operators' commands, one module per group. **Invariant:** a command that changes or reads personal data writes an audit row."""
