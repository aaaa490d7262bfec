"""People who want to harm, scripted, beside fifty pairs who talk: who is stopped by what, and that nobody else notices. Rule: loopback only."""
