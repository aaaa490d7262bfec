"""What the worker counts, by the names of the metrics. Rule: read at the scrape; the hot path only adds."""

from server.metrics import Reading, Source
from server.worker import Worker


def source(worker: Worker) -> Source:
    """A source of one worker's numbers."""

    def read() -> Reading:
        counts = worker.reactor.counters()
        return {
            "serendip_connections": worker.reactor.online,
            "serendip_sessions": len(worker.engine.sessions),
            "serendip_messages": counts["messages"],
            "serendip_message_bytes": counts["message_bytes"],
        }

    return read
