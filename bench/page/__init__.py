"""The page, as a first visitor has it. Rule: measured in a browser that is slowed down as a phone and its network are."""
