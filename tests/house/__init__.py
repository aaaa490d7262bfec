"""The house holds: what ARCHITECTURE.md says of the shape of the code is checked here. Rule: lists of exceptions only shrink."""
