"""The privacy statement as code. Rule: what is not declared in `registry` may not be stored, logged or handed on."""
