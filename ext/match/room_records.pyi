from collections.abc import Sequence

class RecordWriter:
    def __init__(self) -> None: ...
    def other(self, text: bytes) -> None: ...
    def ticket(
        self,
        status: int,
        strict: bool,
        level: int,
        fallen: int,
        further: int,
        recent: Sequence[int],
        barred: Sequence[int],
        pools: bytes,
        words: bytes,
        client: int,
        number: int,
        person: int,
        age: float,
        step: float,
    ) -> None: ...
    def step(
        self, client: int, number: int, level: int, fallen: int, accepts: int, others: bool, step: float, widens: float
    ) -> None: ...
    def member(self, client: int, number: int, worker: int) -> None: ...
    def go(self, client: int, worker: int) -> None: ...
    def meet(
        self,
        id: int,
        rule: int,
        spies: bool,
        words: bytes,
        question: bytes | None,
        first: float,
        second: float,
        weight: float,
    ) -> None: ...
    def done(self, id: int, who: Sequence[Sequence[int]]) -> None: ...
    def take(self) -> bytes: ...

class RecordReader:
    client: int
    number: int
    person: int
    id: int
    worker: int
    age: float
    step: float
    widens: float
    first: float
    second: float
    weight: float
    status: int
    level: int
    fallen: int
    further: int
    accepts: int
    rule: int
    count: int
    strict: bool
    others: bool
    spies: bool
    is_ticket: bool
    is_step: bool
    is_meeting: bool
    is_going: bool
    is_done: bool
    def __init__(self, data: bytes) -> None: ...
    def next(self) -> bool: ...
    def recent(self) -> tuple[int, ...]: ...
    def barred(self) -> tuple[int, ...]: ...
    def pools(self) -> bytes: ...
    def words(self) -> list[str]: ...
    def text(self) -> bytes: ...
    def members(self, width: int) -> list[list[int]]: ...
    def member(self, place: int, field: int) -> int: ...
    def question(self) -> str | None: ...
