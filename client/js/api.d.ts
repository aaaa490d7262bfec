/** The connection dropped, or could not be made; the client tries again in `after` seconds. */
export interface Dropped {
  type: "dropped";
  code: number;
  after: number;
  reason: string;
  /** HTTP status of a refused handshake. */
  status?: number;
}
/** The final event: closed by this side, by the server for good, or given up. `reason` says why and what to do. */
export interface Closed {
  type: "closed";
  code: number;
  reason: string;
  status?: number;
}
/** What `on` and `for await` give, by type. */
export type Events = Omit<Frames, "sent"> & { dropped: Dropped; closed: Closed };
export type Event = Events[keyof Events];

/** A type of the browser or of Node; any object in a program whose `lib` and packages do not declare it. */
export type Global<Name extends string> = typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : object;
export interface Limits {
  /** Gives the call up. */
  signal?: Global<"AbortSignal">;
  /** Milliseconds. */
  timeout?: number;
}
/** How `search` acts for a user. */
export interface Policy extends Wishes {
  /** Search again after each chat that the partner ends. */
  again?: boolean;
  /** Show a notice; it counts as read when this returns (but `false`). Without it the reason goes to the console. */
  notice?: (notice: Notice) => unknown;
  /** Return the response to a challenge that no program solves; nothing: none. */
  challenge?: (challenge: Challenge) => string | undefined | Promise<string | undefined>;
}
export interface Line {
  key: string;
  from: "me" | "them" | 1 | 2;
  text: string;
  /** Null: sent, under a number that is not known. */
  seq?: number | null;
  state: "queued" | "sending" | "sent" | "refused";
}
/** What a view shows: an immutable value, replaced at each change. */
export interface Snapshot {
  readonly link: "connecting" | "open" | "lost" | "closed";
  readonly phase: "idle" | "searching" | "chat" | "ended";
  readonly online: number;
  readonly waiting: Waiting | null;
  readonly chat: Matched | null;
  /** The newest 500. */
  readonly lines: readonly Line[];
  readonly typing: boolean;
  readonly away: boolean;
  /** Pictures of the chat: whether each side allows them, and those that were sent. */
  readonly album: { readonly own: boolean; readonly theirs: boolean; readonly sent: readonly Omit<Picture, "type" | "id">[] };
  readonly notice: Notice | null;
  readonly challenge: Challenge | null;
  readonly error: ErrorFrame | null;
  readonly closed: Closed | null;
}
export interface Options {
  /** Closes the client. */
  signal?: Global<"AbortSignal">;
  /** Seconds without a connection after which it gives up; never by default. */
  patience?: number;
  /** Solve puzzles without an event; true by default. */
  solves?: boolean;
  /** Answer a request for pictures of a call; without it `noSnap` says that there is no camera. */
  pictures?: (asked: Snap) => unknown;
  /** Return milliseconds to wait before an attempt, from 1. */
  backoff?: (attempt: number, random: number, soon?: boolean) => number;
  /** WebSocket, timers and Date, as `serendip-client/testing` replaces them. */
  world?: unknown;
}

/** A message that was not delivered. `code`: the server's, or closed, left, lost, unknown, aborted, timeout. */
export class NotSent extends Error {
  readonly text: string;
  readonly code: string;
  /** Seconds. */
  readonly retryAfter?: number;
}
/** A request that the server refused. */
export class Refused extends Error {
  readonly code: ErrorFrame["code"];
  readonly of?: string;
  /** The wrong field of `bad_field`. */
  readonly field?: string;
  readonly retryAfter?: number;
  readonly frame: ErrorFrame;
}
/** The client has ended. */
export class Disconnected extends Error {
  readonly code: number;
}
/** A field of a call that the protocol does not allow. */
export class WrongField extends TypeError {
  readonly field: string;
}

/** One user of a server. It connects at once, and stays connected until `close`. */
export class Client implements AsyncIterable<Event> {
  /** `url`: of the server, or of its WebSocket; by default of the server that this file came from. Throws TypeError. */
  constructor(url?: string | Global<"URL">, options?: Options);
  readonly url: string;
  /** The chat; null outside of one. After a resume it has the chat's pictures too. */
  readonly chat: (Matched & Pick<Resumed, "album">) | null;

  /** Call `hear` with each event of this type. Returns a function that ends it. */
  on<Type extends keyof Events>(type: Type, hear: (event: Events[Type]) => void): () => void;
  on(type: "*", hear: (event: Event) => void): () => void;
  [Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined>;
  getSnapshot: () => Snapshot;
  subscribe: (hear: () => void) => () => void;

  /** Search for a partner, leaving the current chat first. Throws Refused, WrongField, Disconnected. */
  find(wishes?: Wishes, limits?: Limits): Promise<Matched>;
  /** Search until there is a partner, whatever the server asks first. */
  search(policy?: Policy, limits?: Limits): Promise<Matched>;
  /** Begin the video call of this chat, with a stream of getUserMedia. `relay`: hide the address. */
  call(stream: Global<"MediaStream">, options?: { relay?: boolean }): Promise<import("./call.js").Call>;
  /** Exchange pictures in this chat, if it has `pictures`: both said `pictures` in `find`. Throws TypeError. */
  album(): Promise<import("./album.js").Album>;
  /** Answer a request for pictures of a call; `call` replaces it while a call lasts. */
  pictures: (asked: Snap) => unknown;
  /** Say a line. Resolves when the server has it; throws NotSent. Exactly one of the two happens, across resumes. */
  say(text: string, limits?: Limits): Promise<{ seq: number | null }>;
  typing(typing: boolean): void;
  /** Leave the chat, or stop searching. */
  leave(): void;
  /** This and the next without an answer: throws RangeError if 64 of them wait for a connection. */
  react: (seq: number, face?: NonNullable<React["face"]>) => void;
  report: (
    reason: "minor" | "nudity" | "threat" | "hate" | "spam" | "danger" | "other",
    fields?: { note?: string; who?: 1 | 2; lines?: number[]; chat?: string },
    limits?: Limits,
  ) => Promise<Reported>;
  save: (fields?: { chat?: string }, limits?: Limits) => Promise<Saved>;
  block: (fields?: { chat?: string }, limits?: Limits) => Promise<Blocked>;
  here: (pairs: string[], limits?: Limits) => Promise<Here>;
  ping: (limits?: Limits) => Promise<Pong>;
  /** Meet the partner again, if they want it too: `pair`. */
  meetAgain: (fields?: { chat?: string }) => void;
  signal: (part: Omit<Signal, "type">) => void;
  solve: (kind: string, response: string) => void;
  noSnap: (nonce: string, why: "camera" | "hidden" | "early") => void;
  /** Confirm that a notice was read. */
  seen(id: string): void;
  close(): Promise<void>;
}
