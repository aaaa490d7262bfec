"""Ask a provider of text about lines without a server, for `serendip safety rules try` and `serendip check`.

**Invariant:** the provider runs in the same jail, and ends with the trial; a line that it does not answer in time raises
`provider_program.Misbehaved`.
"""

from __future__ import annotations

import select
from types import TracebackType
from typing import Self

from server.ops.config.screening_settings import Screening
from server.trust.text_provider.provider_client import choice_of
from server.trust.text_provider.provider_conversation import Answer, ProviderConversation
from server.trust.text_provider.provider_protocol import ProviderFinding

NOTICE_MS = 100  # between looks at the deadline


class ProviderTrial:
    """A provider that runs until the trial is closed. Raises OSError, Misbehaved. `show_errors`: its errors go to standard error."""

    def __init__(self, chosen: Screening, *, show_errors: bool) -> None:
        choice = choice_of(chosen)
        self._use = choice.use
        self._program = choice.start(chosen.provider_key.get_secret_value(), show_errors=show_errors)
        self.conversation = ProviderConversation(self._program, choice.deadline)
        try:
            while not self.conversation.is_ready:
                self._wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, text: str) -> list[tuple[str, ProviderFinding]]:
        """Return the findings in a text that count, each with its rule. Raises Misbehaved."""
        self.conversation.ask(None, text)
        answers: list[Answer] = []
        while not answers:
            answers = self._wait()
        return [(rule, one) for one in answers[0].found if (rule := self._use.rule(one))]

    def close(self) -> None:
        """End the program."""
        self._program.end()

    def _wait(self) -> list[Answer]:
        poll = select.poll()
        poll.register(self._program.output, select.POLLIN)
        if self._program.backlog:
            poll.register(self._program.input, select.POLLOUT)
        ready = [descriptor for descriptor, _ in poll.poll(NOTICE_MS)]
        if self._program.backlog:
            self._program.flush()
        answers = list(self.conversation.answers()) if self._program.output in ready else []
        self.conversation.check()
        return answers
