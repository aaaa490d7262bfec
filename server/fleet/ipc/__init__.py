"""Connect the processes of one host by sockets (ipc links), and name the processes."""

from ext import compiled_module_switch

compiled_module_switch.choose()
