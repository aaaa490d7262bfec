"""Provide the waiting room of one process or of several: the local room, the hub process with its messages and checks, a worker's remote room, and
the choice of the worker where matched users meet.
"""
