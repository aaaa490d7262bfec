"""Hold the revisions of the schema, in order. **Rule:** a released file's code is never edited."""
