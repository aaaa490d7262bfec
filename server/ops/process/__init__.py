"""What the program owes to the system that runs it: standard error, the owner of its files, who follows it; and what it may have of it.

Rule: nothing of ours is imported here, but by one module of this folder from another.
"""
