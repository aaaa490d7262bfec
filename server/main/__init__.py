"""Assemble the program from all other packages: the command line, the operators' commands, and the processes with their parts. No other package
imports this one.
"""
