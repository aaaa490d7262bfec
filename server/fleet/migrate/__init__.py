"""Move sessions from one process to another: the transfer and its table of owners, the order in which a process is drained, the upgrade of a server
of one process.
"""

from ext import compiled_module_switch

compiled_module_switch.choose()
