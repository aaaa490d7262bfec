"""Measure what detection finds in chat lines: recall and precision by class and language, and false alarms in ordinary conversations."""
