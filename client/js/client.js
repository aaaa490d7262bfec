// Provide `Client`, one user of a server: find partners, send and receive messages, and reconnect automatically.
//
// **Invariant:** each received message is an event once, in order; each `say` is settled exactly once, across reconnections. docs/client-js.md.
import { backoff } from "./backoff.js";
import { frameOf } from "./check.js";
import { Disconnected, NotSent, Refused, WrongField } from "./errors.js";
import { Inbox } from "./inbox.js";
import { Session } from "./session.js";
import { Solver } from "./solver.js";
import { State } from "./state.js";

export { Disconnected, NotSent, Refused, WrongField };

const ANSWER = 30_000; // ms that a request may take
const solve = async (...asked) => (await import("./puzzle.js")).solve(...asked);
const ANSWERS = { report: "reported", save: "saved", block: "blocked", here: "here", ping: "pong" };

/** Return the address of the WebSocket; without one, of the server that this file came from. */
function address(url) {
  const place = new URL(url ?? import.meta.url);
  if (!/^(http|ws)s?:$/.test(place.protocol)) throw new TypeError(`${url} is no address`);
  place.protocol = place.protocol.replace("http", "ws");
  if (!url || place.pathname === "/") place.pathname = "/ws";
  return place.href;
}

/** Run `start(done, fail)`; when `signal` aborts, or after `timeout` ms, call `stop(code)`, and throw the reason if that settles nothing. */
const limited = (world, { signal, timeout } = {}, start, stop) =>
  new Promise((done, fail) => {
    signal?.throwIfAborted();
    const end = (act) => (value) => {
      world.clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
      act(value);
    };
    const over = (code, error) => {
      stop(code);
      end(fail)(error);
    };
    const aborted = () => over("aborted", signal.reason);
    const late = () => over("timeout", new DOMException("timeout", "TimeoutError"));
    const timer = timeout === undefined ? 0 : world.setTimeout(late, timeout);
    signal?.addEventListener("abort", aborted);
    start(end(done), end(fail));
  });

export class Client {
  #session;
  #inbox = new Inbox();
  #state;
  #world;
  #ids = 0;
  #asks = []; // {frame, done, fail, sent} without an answer yet
  #found = null; // {done, fail} of the current search
  #watch = new AbortController();
  #tools; // of the parts that are loaded when they are called; `turn` changes when the user searches or leaves

  /** `options`: docs/client-js.md. It connects at once. */
  constructor(url, options = {}) {
    const { world = globalThis, signal, patience = Infinity, solves = true } = options;
    this.url = address(url);
    if (options.pictures) this.pictures = options.pictures;
    this.#world = world;
    this.#state = new State();
    const session = () => this.#session;
    this.#session = new Session(this.url, {
      world,
      backoff: options.backoff ?? backoff,
      patience: patience * 1000,
      solver: new Solver(session, (frame) => this.#tell(frame), solves ? solve : null),
      tell: (event) => this.#tell(event),
      settled: () => this.#settled(),
      changed: (line, state, seq) => this.#state.line(line, state, seq),
      // The file may not be loaded yet when the network is away.
      explain: () => world.fetch && import("./why.js").then((made) => made.explain(this.url, world), () => {}),
    });
    this.#tools = { world, limited, Refused, session: this.#session, state: this.#state, turn: 0 };
    signal?.throwIfAborted();
    signal?.addEventListener("abort", () => void this.close(), { once: true });
    this.#start();
  }

  #start() {
    const { wire: link } = this.#session;
    const world = this.#world;
    if (world.WebSocket) link.open();
    else import("./node-socket.js").then((node) => this.#session.ended || link.open(node.NodeSocket));
    for (const name of ["online", "pageshow", "visibilitychange", "offline"])
      world.addEventListener?.(name, name === "offline" ? link.cut : link.wake, this.#watch);
  }

  // events and state

  /** Answer a request for pictures; a call replaces it while it lasts. */
  pictures = ({ nonce }) => this.noSnap(nonce, "camera");

  /** The chat, as `matched` told it; null outside of one. */
  get chat() {
    return this.#session.chat;
  }

  /** Call `hear` with each event of this type (`*`: of all). Returns a function that ends it. */
  on(type, hear) {
    return this.#inbox.on(type, hear);
  }

  [Symbol.asyncIterator]() {
    return this.#inbox.read();
  }

  getSnapshot = () => this.#state.now;
  subscribe = (hear) => this.#state.watch(hear);

  // what the user does

  /** Search for a partner, leaving the current chat first. Resolves to `matched`; throws Refused, WrongField, Disconnected. */
  find(wishes = {}, more) {
    const video = wishes.mode === "video" ? { snaps: true } : {};
    const frame = frameOf("find", { ...video, ...wishes });
    this.#live();
    this.#drop("replaced");
    let mine;
    const start = (done, fail) => {
      this.#found = mine = { done, fail };
      this.#session.search(frame);
      this.#state.begin("searching");
    };
    const stop = () => {
      if (this.#found === mine && this.#take()) this.leave();
    };
    const found = limited(this.#world, more, start, stop);
    found.catch(() => {}); // a refusal is an event too
    return found;
  }

  /**
   * Search until there is a partner, whatever a server asks first. `again`: search again after each chat. `notice(notice)`: show it; it counts
   * as read when that returns (but false). `challenge(challenge)`: return the response to one for people.
   */
  async search(policy = {}, more) {
    return (await import("./search.js")).search(this, this.#tools, policy, more);
  }

  /** Exchange pictures in this chat, once both allow it. */
  async album() {
    return (await import("./album.js")).album(this, this.#tools);
  }

  /** Begin the video call of this chat, with a stream of getUserMedia. */
  async call(stream, options) {
    return (await import("./call.js")).call(this, stream, options);
  }

  /** Say a line: resolves to {seq} when the server has it (null: it said so after a resume). Throws NotSent. */
  say(text, more) {
    const frame = frameOf("message", { text });
    if (this.#session.ended) return Promise.reject(new NotSent(text, "closed"));
    if (!this.chat) return Promise.reject(new NotSent(text, "no_chat"));
    const line = { id: (this.#ids += 1).toString(36), text: frame.text, ordinal: 0 };
    const start = (done, fail) => this.#session.say(Object.assign(line, { done, fail }));
    return limited(this.#world, more, start, (code) => this.#session.outbox.withdraw(line, code));
  }

  /** Tell that the user types, or stopped; ignored while there is no connection. */
  typing(typing) {
    if (this.#session.ready) this.#session.wire.send(frameOf("typing", { typing }));
  }

  /** Leave the chat, or stop searching. */
  leave() {
    this.#drop("left");
    if (this.#session.ended) return;
    this.#session.leave();
    this.#state.begin("idle");
  }

  report = (reason, fields, more) => this.#ask("report", { reason, ...fields }, more);
  save = (fields, more) => this.#ask("save", fields, more);
  block = (fields, more) => this.#ask("block", fields, more);
  here = (pairs, more) => this.#ask("here", { pairs }, more);
  ping = (more) => this.#ask("ping", undefined, more);
  react = (seq, face) => this.#post(frameOf("react", { seq, face }));
  meetAgain = (fields) => this.#post(frameOf("again", fields));
  signal = (part) => this.#post(frameOf("signal", part));
  solve = (kind, response) => this.#post({ type: "solution", kind, response });
  noSnap = (nonce, why) => this.#post(frameOf("nosnap", { nonce, why }));

  /** Confirm that a notice was read: the next search is accepted. */
  seen(id) {
    this.#post({ type: "seen", id });
    this.#state.set({ notice: null });
  }

  /** End the client, after waiting up to 2 s for outstanding answers; the partner learns of it at once. */
  async close() {
    const until = this.#world.Date.now() + 2000;
    const open = () => this.#session.ready && this.#session.outbox.texts.length && this.#world.Date.now() < until;
    while (open()) void (await new Promise((done) => this.#world.setTimeout(done, 20)));
    this.#session.close(1000, "closed by this side");
  }

  // inside

  #live() {
    const { ended } = this.#session;
    if (ended) throw new Disconnected(ended.code, ended.reason);
  }

  #post(frame) {
    this.#live();
    this.#session.send(frame);
  }

  /** Send a request, and wait for its answer; it is repeated after a drop, but for `save`, whose answer comes behind `resumed`. */
  async #ask(type, fields, more) {
    const asked = { frame: frameOf(type, fields) };
    this.#live();
    const start = (done, fail) => {
      this.#asks.push(Object.assign(asked, { done, fail }));
      if (this.#session.ready) this.#settled(asked);
    };
    const stop = () => (this.#asks = this.#asks.filter((one) => one !== asked));
    return limited(this.#world, { timeout: ANSWER, ...more }, start, stop);
  }

  #settled(only) {
    for (const asked of this.#asks) {
      if ((only && only !== asked) || (asked.sent && asked.frame.type === "save")) continue;
      asked.sent = true;
      this.#session.wire.send(asked.frame);
    }
  }

  /** Take the pending search, to settle it. */
  #take() {
    const found = this.#found;
    this.#found = null;
    return found;
  }

  /** End the pending search without a partner. */
  #drop(why) {
    this.#tools.turn += 1;
    this.#take()?.fail(new DOMException(why, "AbortError"));
  }

  #answer(match, act) {
    const at = this.#asks.findIndex(match);
    if (at >= 0) act(this.#asks.splice(at, 1)[0]);
    return at >= 0;
  }

  #tell(event) {
    const answered = this.#answer(({ frame }) => ANSWERS[frame.type] === event.type, ({ done }) => done(event));
    if (event.type === "pong" && !answered) return; // of the link
    this.#state.hear(event);
    this.#session.wire.guard(this.chat && this.#session.grace);
    const act = this[`_${event.type}`];
    this.#inbox.emit(event);
    act?.call(this, event);
  }

  _matched(event) {
    this.#take()?.done(event);
  }

  _error(event) {
    this.#answer(({ frame }) => frame.type === event.of, ({ fail }) => fail(new Refused(event)));
    if (event.of !== "find" || event.retry_after !== undefined) return;
    this.#take()?.fail(new Refused(event));
  }

  _snap(asked) {
    this.pictures(asked);
  }

  _closed({ code, reason }) {
    this.#watch.abort();
    const error = new Disconnected(code, reason);
    this.#take()?.fail(error);
    for (const { fail } of this.#asks.splice(0)) fail(error);
    this.#inbox.end();
  }
}
