// Keep what a view shows, as a store: an immutable snapshot and its watchers (React's useSyncExternalStore, Svelte's and Vue's adapters).

const LINES = 500; // kept; older ones are dropped
const NONE = { chat: null, waiting: null, typing: false, away: false };
const ALBUM = { own: false, theirs: false, sent: [] };

export class State {
  now = {
    link: "connecting", // open | lost | closed
    phase: "idle", // searching | chat | ended
    online: 0,
    waiting: null, // as the server told it
    chat: null, // as `matched` told it
    lines: [], // {key, from: "me", "them", 1 or 2, text, seq, state: queued | sending | sent | refused}
    typing: false,
    away: false,
    album: ALBUM, // of the chat: whether each side allows pictures, and those that were sent
    notice: null, // to be read
    challenge: null, // to be solved
    error: null,
    closed: null,
  };
  #watchers = new Set();

  watch(hear) {
    this.#watchers.add(hear);
    return () => void this.#watchers.delete(hear);
  }

  set(change) {
    this.now = Object.freeze({ ...this.now, ...change });
    for (const hear of this.#watchers) hear();
  }

  /** Note that the user searches, or stopped. */
  begin(phase) {
    this.set({ phase, ...NONE });
  }

  /** Note the state of an own line. */
  line({ id: key, text }, state, seq) {
    const line = { key, from: "me", text, seq, state };
    const { lines } = this.now;
    this.set({ lines: state === "queued" ? added(lines, line) : lines.map((one) => (one.key === key ? line : one)) });
  }

  hear(event) {
    const change = CHANGES[event.type]?.(event, this.now);
    if (change) this.set(change);
  }
}

const added = (lines, line) => [...lines, line].slice(-LINES);
const CHANGES = {
  hello: ({ online }) => ({ link: "open", online }),
  dropped: () => ({ link: "lost", typing: false }),
  waiting: (waiting) => ({ phase: "searching", waiting }),
  matched: (chat) => ({ ...NONE, phase: "chat", chat, lines: [], error: null, album: { ...ALBUM, ...chat.album } }),
  resumed: ({ album }, { album: { own } }) => ({ album: { ...ALBUM, ...album, own } }), // the own wish may be newer
  pictures: ({ allow: theirs }, { album }) => ({ album: { ...album, theirs } }),
  picture: (one, { album }) => ({ album: { ...album, sent: [...album.sent, one] } }),
  message: ({ seq, text, from = "them" }, { lines }) => ({ typing: false, lines: added(lines, { key: `s${seq}`, from, text, seq, state: "sent" }) }),
  typing: ({ typing }) => ({ typing }),
  partner: ({ state }) => (state === "away" || state === "back" ? { away: state === "away" } : null),
  left: () => ({ phase: "ended", typing: false, away: false }),
  notice: (notice) => ({ notice }),
  challenge: (challenge) => ({ challenge }),
  solved: () => ({ challenge: null }),
  error: (error) => ({ error }),
  closed: (closed) => ({ link: "closed", closed }),
};
