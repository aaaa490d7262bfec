"""Ports of a worker that a test sets after the worker was made, each by the name of its field in `WorkerPorts`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from server.realtime.worker.worker_dependencies import NO_PORTS, WorkerPorts


class LatePorts:
    """At first they are those of an empty service."""

    def __init__(self) -> None:
        for field in fields(WorkerPorts):
            setattr(self, field.name, getattr(NO_PORTS, field.name))

    def __setattr__(self, name: str, port: Any) -> None:
        assert hasattr(NO_PORTS, name)
        super().__setattr__(name, port)

    def given(self) -> WorkerPorts:
        """What the worker's constructor takes."""
        return WorkerPorts(**{field.name: self._late(field.name) for field in fields(WorkerPorts)})

    def _late(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: getattr(self, name)(*arguments)
