// Keep one session with the server: resume it after a drop, send unsent messages again, repeat a search that was refused for a time.
//
// **Invariant:** each received message is an event once, in order; each own message is settled exactly once. As client/serendip_client/client.py:
// client/scenarios.json is the contract of both.
import { makeLink } from "./link.js";
import { Outbox } from "./outbox.js";
import { CLOSE, COME_BACK, REFUSED_KEPT } from "./protocol.js";

const UNCONFIRMED = (REFUSED_KEPT * 3) / 4; // messages; the server reports the refused among the last REFUSED_KEPT
const OWED = 64; // frames that wait for a session
const MARGIN = 50; // ms: a timer may fire early by the difference to the server's clock
const LEAVE = { type: "leave" };
const LOST = { type: "left", by: "lost" };

export class Session {
  chat = null;
  leaving = null; // the last chat that is over for this side: `leave` has no answer, and what was heard may be lost with a host
  ready = false; // the session is established, and frames may be sent
  ended = null;
  grace = 0; // seconds for which the partner waits
  #away = false; // the partner, as last reported
  #token = null;
  #next = ""; // of this connection's hello: the token after this one
  #last = 0;
  #asked = null; // the search that is to be sent
  #wanted = null; // the search that is to be repeated if it was refused, or the session lost
  #repeat = 0;
  #quits = false; // `leave` was called while no session was established
  #owed = [];
  #attempt = 0;
  #since; // when the connection was lost
  #said = {}; // of the error frame before a close
  #opened = false;
  #options;
  #tell;

  /** `options`: tell(event), settled(), changed(line, state, seq), explain(), solver, backoff, patience in ms, world. */
  constructor(url, options) {
    this.#options = options;
    this.#tell = options.tell;
    this.outbox = new Outbox(options.changed);
    this.wire = makeLink(url, (type, detail) => this[`_${type}`]?.(detail), options.backoff, options.world);
  }

  // what the user does

  search(frame) {
    this.#end();
    this.#asked = this.#wanted = frame;
    this.#quits = false;
    this.#part(frame);
  }

  leave() {
    this.#end();
    this.#quits = !this.ready;
    this.#part(LEAVE);
  }

  /** Send a frame now, or once a session is established. Throws RangeError if too many wait for it. */
  send(frame) {
    if (this.ready) return this.wire.send(frame);
    if (this.#owed.length >= OWED) throw new RangeError(`${OWED} frames wait`);
    this.#owed.push(frame);
  }

  say(line) {
    this.outbox.add(line);
    this.flush();
  }

  flush() {
    if (this.ready) this.outbox.flush(this.wire.send, UNCONFIRMED);
  }

  close(code, reason, more) {
    if (this.ended) return;
    this.ended = { type: "closed", code, reason, ...more };
    this.ready = false;
    this.#end();
    this.chat = null;
    this.outbox.part("closed");
    this.outbox.forget();
    this.wire.close();
    this.#tell(this.ended);
  }

  /** Send a refused search again, if it is still wanted. */
  repeat() {
    this.hold();
    this.#asked = this.#wanted;
    if (this.#asked && this.ready) this.wire.send(this.#asked);
  }

  #end() {
    this.hold();
    this.#wanted = null;
  }

  /** Keep a refused search until `repeat`: the server requires something first. */
  hold() {
    this.#asked = null;
    this.#options.world.clearTimeout(this.#repeat);
  }

  #part(frame) {
    this.#over("left");
    if (this.ready) this.wire.send(frame);
  }

  #over(code) {
    if (!this.chat) return;
    this.leaving = this.chat.chat;
    this.chat = null;
    this.#last = 0;
    this.#away = false;
    this.outbox.part(code);
  }

  // what the link tells: the methods are named for its events

  _open() {
    this.#opened = true;
    this.#said = {};
    if (this.#token) this.wire.send({ type: "resume", token: this.#token, last: this.#last, ...(this.chat && { chat: this.chat.chat }) });
  }

  _retrying({ at }) {
    this.#tell({ type: "dropped", ...this.#dropped, after: Math.max(0, at - this.#options.world.Date.now()) / 1000 });
  }
  #dropped = {};

  async _closed({ code }) {
    const { world, patience, explain } = this.#options;
    const now = world.Date.now();
    this.ready = false;
    const { message: reason = `the connection ended (${code})`, retry_after } = this.#said;
    const more = this.#opened ? {} : await explain();
    if (this.ended) return;
    if (!this.#attempt) this.#since = now;
    this.#opened = false;
    const { final, after, ...told } = { code, reason, final: !COME_BACK.includes(code), after: retry_after, ...more };
    if (final) return this.close(told.code, told.reason, told);
    if (now - this.#since >= patience) return this.close(told.code, `${told.reason}; gave up`);
    this.#dropped = told;
    this.wire.later((this.#attempt += 1), (after ?? 0) * 1000, this.chat && now - this.#since < this.grace * 2000) // the server may notice a drop later;
  }

  _frame({ frame }) {
    const hear = this[`_on_${frame.type}`];
    if (hear) hear.call(this, frame);
    else this.#tell(frame);
  }

  // frames

  _on_hello(frame) {
    this.#attempt = 0;
    this.#next = frame.token;
    this.grace = frame.grace;
    if (!this.#token) {
      this.#token = frame.token;
      this.#stands();
    }
    this.#tell(frame);
  }

  #stands() {
    if (this.#asked) this.wire.send(this.#asked);
    this.ready = true;
    this.#quits = false;
    this.flush();
    for (const frame of this.#owed.splice(0)) this.wire.send(frame);
    this.#options.settled();
  }

  _on_message(frame) {
    if (!this.chat || frame.seq <= this.#last) return;
    this.#last = frame.seq;
    this.#tell(frame);
  }

  _on_sent({ id, seq }) {
    this.outbox.answer(id, seq);
    this.flush();
  }

  _on_matched(frame) {
    this.#over("left");
    this.#last = 0;
    this.leaving = null;
    this.chat = frame;
    this.#end();
    this.#tell(frame); // a listener may leave it at once
  }

  _on_waiting(frame) {
    this.#over("left");
    this.hold();
    this.leaving = null;
    this.#tell(frame);
  }

  _on_left(frame) {
    if (!this.chat) return; // this side left at the same time
    this.#over("lost");
    this.#tell(frame);
  }

  _on_partner(frame) {
    const { state } = frame;
    if (state === "away" || state === "back") this.#away = state === "away";
    this.#tell(frame);
  }

  /** Continue the session: missed messages follow, and what the server did not receive is sent again. */
  _on_resumed(frame) {
    const { chat } = frame;
    const { solver } = this.#options;
    this.#token = this.#next;
    const left = !!chat && chat === this.leaving;
    const known = chat && (left || chat === this.chat?.chat);
    const { seq, taken, refused, missed, reactions, ...rest } = frame;
    const matched = { ...rest, type: "matched" };
    if (known && !left) this.chat = matched;
    this.#tell(frame);
    if (!chat) this._on_left(LOST); // the frame that ended it was lost
    if (known) this.outbox.resume(frame, left);
    this.outbox.forget();
    if (solver.open) this.#lose(); // the solution or its answer may be lost
    if (known && this.#away) {
      // the partner may have returned meanwhile; if not, `away` follows
      this.#away = false;
      this.#tell({ type: "partner", state: "back" });
    } else if (chat && !known && !this.#quits) this._on_matched(matched); // the `matched` frame was lost
    if ((left || this.#quits) && !this.#asked) this.wire.send(LEAVE);
    this.#stands();
  }

  #lose() {
    const wanted = this.#wanted;
    this.hold();
    this.#asked = wanted;
  }

  _on_error(frame) {
    const { solver } = this.#options;
    const { code, of, retry_after: after } = frame;
    if (of === "resume" && code === "no_session") return this.#renewed();
    if (of === "message" && this.outbox.answer(frame.id, 0, frame)) return this.flush();
    if (code in CLOSE) this.#said = frame;
    if (code === "challenge" && solver.postpones(frame)) return;
    if (of === "find" && !(code in CLOSE)) this.refuse(after);
    this.#tell(frame);
  }

  /** Handle a refused search: repeat it after so many seconds, or (undefined) drop it, since the user has to act. */
  refuse(after) {
    const wanted = after === undefined ? null : this.#wanted;
    this.hold();
    this.#wanted = wanted;
    if (wanted) this.#repeat = this.#options.world.setTimeout(() => this.repeat(), after * 1000 + MARGIN);
  }

  #renewed() {
    // the server has forgotten the session: this connection continues as a new one
    this.#token = this.#next;
    this._on_left(LOST);
    this.outbox.forget();
    this.leaving = null;
    this.#lose();
    this.#stands();
  }

  _on_challenge(frame) {
    this.#options.solver.takes(frame);
  }

  _on_solved(frame) {
    if (!this.#options.solver.solved(frame)) this.#tell(frame);
  }
}
