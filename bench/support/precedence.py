"""Give a process that measures precedence over the load beside it."""

import os


def ahead() -> bool:
    """Give this process precedence over others of its processor, but not those that it starts; False if it may not."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        return False
    return True
