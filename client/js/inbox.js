// Give events to callbacks and to `for await`. **Invariant:** unread events are bounded; a loop that falls behind ends with an error.

const UNREAD = 1000; // events
const LATE = `${UNREAD} events are unread`;

export class Inbox {
  #heard = new Set();
  #readers = new Set();
  #early = []; // events before the first loop, which reads them too
  #missed = false;
  #over = false;

  /** Call `hear` with each event of a type, or of all for `*`. Returns a function that ends it. */
  on(type, hear) {
    const one = { type, hear };
    this.#heard.add(one);
    return () => void this.#heard.delete(one);
  }

  emit(event) {
    if (this.#early?.push(event) > UNREAD) [this.#early, this.#missed] = [null, true];
    for (const reader of this.#readers) reader(event);
    for (const { type, hear } of this.#heard)
      try {
        if (type === event.type || type === "*") hear(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error; // as of an event listener: it stops nothing here, and is not silent
        });
      }
  }

  /** End all loops, behind the events that they have not read. */
  end() {
    this.#over = true;
    for (const reader of this.#readers) reader(null);
  }

  async *read() {
    if (this.#missed) throw new Error(LATE);
    const unread = this.#early ?? [];
    this.#early = null;
    let wake = () => {};
    const reader = (event) => {
      if (event) unread.push(event);
      if (unread.length > UNREAD) this.#readers.delete(reader);
      wake();
    };
    this.#readers.add(reader);
    try {
      for (;;) {
        if (unread.length > UNREAD) throw new Error(LATE);
        if (unread.length) yield unread.shift();
        else if (this.#over) return;
        else await new Promise((resolve) => (wake = resolve));
      }
    } finally {
      this.#readers.delete(reader);
    }
  }
}
