// Provide a server for tests of programs that use the client: a scripted stranger, drops, resumes, refusals, and a clock that the test moves.
//
//   const server = new FakeServer();
//   const me = new Client(server.url, { world: server.world });
//   const [chat, stranger] = await Promise.all([me.find({ interests: ["tea"] }), server.meet()]);
//   stranger.say("hello");

/** Let all that is due now happen. */
export const settle = () => new Promise((done) => setTimeout(done));

/** Wait until `test()` is true, in real time; throws after `most` ms. */
async function until(test, what, most = 5000) {
  for (const end = Date.now() + most; !test(); await settle()) if (Date.now() > end) throw new Error(`${what} did not come`);
}

/** A clock that moves by `advance` alone. */
export class FakeClock {
  now = 1e12;
  #timers = new Map();
  #next = 1;

  setTimeout = (act, ms = 0) => {
    this.#timers.set(this.#next, { at: this.now + ms, act });
    return this.#next++;
  };
  clearTimeout = (id) => void this.#timers.delete(id);

  /** Move on by `ms`, and run each timer at its time. */
  async advance(ms) {
    const end = this.now + ms;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = Math.max(this.now, due[1].at);
      due[1].act();
    }
    this.now = end;
    await settle();
  }
}

class FakeSocket {
  readyState = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  #server;

  constructor(server) {
    this.#server = server;
    queueMicrotask(() => {
      if (this.readyState) return;
      if (server.refuses) return this.end(1006);
      this.readyState = 1;
      server.socket = this;
      server.opened();
      this.onopen?.();
    });
  }

  send(text) {
    if (this.#server.socket === this) this.#server.hear(JSON.parse(text));
  }

  close(code = 1000) {
    this.readyState = 3;
    if (this.#server.socket === this) this.#server.lost(code);
  }

  tell(frame) {
    if (this.readyState === 1) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(code) {
    this.readyState = 3;
    if (this.#server.socket === this) this.#server.socket = null;
    this.onclose?.({ code });
  }
}

/** A connection by HTTP requests, as a server holds it. */
class FakePolls extends FakeSocket {
  #frames = [];
  #number = 0;
  #code = 0;
  #wake = () => {};

  onopen = null;
  onmessage = ({ data }) => {
    this.#frames.push(JSON.parse(data));
    this.#wake();
  };
  onclose = ({ code }) => {
    this.#code = code;
    this.#wake();
  };

  /** Answer a poll; undefined: the connection was cut. */
  async poll(signal) {
    const woken = new Promise((done) => (this.#wake = done));
    signal?.addEventListener("abort", this.#wake);
    if (!this.#frames.length && !this.#code) await woken;
    if (this.#code === 1006) return undefined;
    const frames = this.#frames.splice(0);
    if (frames.length) this.#number += 1;
    return { number: this.#number, frames, ...(this.#code && { closed: this.#code }) };
  }
}

/** The stranger of one chat. */
export class Stranger {
  heard = []; // texts of the client, in order
  allows = false; // whether the client allows pictures
  pictures = []; // that it sent
  left = false; // whether the client left
  typed = false; // whether the client types
  #read = 0;
  #server;

  constructor(server, chat) {
    [this.#server, this.chat] = [server, chat];
  }

  say(text) {
    this.#server.relay(this.chat, text);
  }

  typing(typing) {
    this.#server.tell({ type: "typing", typing });
  }

  /** Allow pictures, or allow them no more. */
  allow(allow = true) {
    this.#server.tell({ type: "pictures", allow });
  }

  /** Send a picture. */
  show(jpeg) {
    this.#server.show(this.chat, jpeg);
  }

  leave(by = "stranger") {
    this.#server.over(by);
  }

  /** Wait for the next text of the client that this has not returned yet. */
  async hears() {
    const at = this.#read++;
    await until(() => this.heard.length > at, "a line of the client");
    return this.heard[at];
  }
}

/** `raw`: answer nothing by itself; the test reads `frames` and calls `tell`. */
export class FakeServer {
  url = "ws://fake.example/ws";
  clock = new FakeClock();
  frames = []; // of the client that the test has not taken yet, if raw
  socket = null;
  refuses = false; // refuse handshakes
  #raw;
  #refusals = [];
  #tokens = []; // of the session
  #connections = 0;
  #chats = 0;
  #past = ""; // the chat before
  #chat = null; // {frame, stranger, seq, taken, refused, lines}
  #waits = null;
  #resuming = false;
  #keys = new Map(); // {id, body} of pictures

  /** `blocks`: a proxy refuses WebSockets, and passes HTTP on; `pictures`: two can send each other pictures. */
  constructor({ raw = false, blocks = false, pictures = false } = {}) {
    this.#raw = raw;
    this.refuses = blocks;
    const server = this;
    const { setTimeout, clearTimeout } = this.clock;
    const WebSocket = class extends FakeSocket {
      constructor() {
        super(server);
      }
    };
    this.world = { WebSocket, setTimeout, clearTimeout, Date: { now: () => this.clock.now } };
    if (blocks || pictures) this.world.fetch = (address, options) => this.#fetch(new URL(address), options);
  }

  async #fetch({ pathname, searchParams }, { method, body, signal } = {}) {
    const answer = (told) => ({ ok: !!told, status: told ? 200 : 404, json: async () => told });
    if (pathname === "/api/why") return answer({ status: 101, path: "/ws", final: false });
    if (pathname === "/api/poll") {
      this.refuses = false;
      const opened = new FakePolls(this);
      await settle();
      this.refuses = true;
      return answer(opened.readyState === 1 && { id: "fake" });
    }
    await settle();
    if (pathname.startsWith("/api/picture/")) return this.#picture(pathname.slice(13), body);
    const { socket } = this;
    if (!socket) return answer();
    if (method !== "POST") return answer(await socket.poll(signal));
    for (const line of body?.split("\n") ?? []) if (line) this.hear(JSON.parse(line));
    if (searchParams.has("close")) socket.close(Number(searchParams.get("close")));
    return answer({});
  }

  /** Take a picture of the client, or give one out. */
  #picture(key, body) {
    const there = this.#keys.get(key);
    if (!there || !this.#chat) return { ok: false, status: 404 };
    if (!body) return { ok: true, status: 200, blob: async () => there.body };
    const { seq, stranger, sent } = this.#chat;
    there.body = body;
    stranger.pictures.push(body);
    const own = { key, seq, own: true };
    sent.push(own);
    this.tell({ type: "picture", ...own, id: there.id });
    return { ok: true, status: 204 };
  }

  // what a test does

  /** Be the partner of the client's search, now or as soon as it searches. */
  async meet({ common } = {}) {
    await until(() => this.#waits, "a search");
    const chat = `c${(this.#chats += 1)}`;
    const { interests = [], language = "en", pictures } = this.#waits;
    this.#waits = null;
    const frame = { type: "matched", chat, role: "stranger", common: common ?? interests, language, side: 1, ...(pictures && { pictures }) };
    const stranger = new Stranger(this, chat);
    this.#chat = { frame, stranger, seq: 0, taken: 0, refused: [], lines: [], sent: [] };
    this.tell(frame);
    return stranger;
  }

  /** Cut the connection: the client sees 1006 and comes back when the clock is moved. */
  drop(code = 1006) {
    this.socket?.end(code);
  }

  /** Let the connection die without a sign: nothing passes any more. The client has to notice. */
  silence() {
    this.socket = null;
  }

  /** Forget the session: the next resume fails. */
  forget() {
    this.#chat = this.#waits = null;
    this.#past = "";
    this.#tokens = [];
  }

  /** Refuse the next frame of this type. */
  refuse(of, code, more = {}) {
    this.#refusals.push({ of, code, message: code, ...more });
  }

  tell(frame) {
    this.socket?.tell(frame);
  }

  /** Take the next frame of the client, if raw. */
  async next() {
    await until(() => this.frames.length, "a frame of the client");
    return this.frames.shift();
  }

  async connected() {
    await until(() => this.socket, "a connection");
  }

  // what the socket and the stranger tell

  opened() {
    if (this.#raw) return;
    const token = `t${(this.#connections += 1)}`;
    this.#tokens.push(token);
    queueMicrotask(() => this.tell({ type: "hello", session: `s${this.#connections}`, token, online: 2, grace: 15 }));
  }

  lost(code) {
    this.socket = null;
    if (code === 1000 && this.#chat) this.#end();
  }

  #end() {
    this.#chat.stranger.left = true;
    this.#pass();
  }

  /** Have the chat behind. */
  #pass() {
    this.#past = this.#chat?.frame.chat ?? this.#past;
    this.#chat = null;
  }

  over(by) {
    this.#pass();
    this.tell({ type: "left", by });
  }

  relay(chat, text) {
    if (this.#chat?.frame.chat !== chat) throw new Error("this chat is over");
    const line = { type: "message", seq: (this.#chat.seq += 1), text };
    this.#chat.lines.push(line);
    if (!this.#resuming) this.tell(line);
  }

  show(chat, body) {
    if (this.#chat?.frame.chat !== chat) throw new Error("this chat is over");
    const one = { key: this.#key({ body }), seq: this.#chat.seq };
    this.#chat.sent.push(one);
    this.tell({ type: "picture", ...one });
  }

  #key(what) {
    const key = `k${this.#keys.size + 1}`;
    this.#keys.set(key, what);
    return key;
  }

  hear(frame) {
    if (this.#raw) return void this.frames.push(frame);
    const at = this.#refusals.findIndex(({ of }) => of === frame.type);
    const refusal = at >= 0 && this.#refusals.splice(at, 1)[0];
    if (frame.type === "message" && this.#chat) this.#chat.taken += 1;
    if (refusal) {
      if (frame.type === "message") this.#chat?.refused.push(this.#chat.taken);
      this.tell({ type: "error", ...refusal, ...(frame.id && { id: frame.id }) });
    } else this[`_${frame.type}`]?.(frame);
  }

  _find(frame) {
    if (this.#chat) this.#end();
    this.#waits = frame;
    this.tell({ type: "waiting", accepts: "good" });
  }

  _leave() {
    if (this.#chat) this.#end();
    this.#waits = null;
  }

  _message({ text, id }) {
    if (!this.#chat) return this.#noChat("message", id);
    this.#chat.seq += 1;
    this.#chat.stranger.heard.push(text);
    if (id) this.tell({ type: "sent", id, seq: this.#chat.seq });
  }

  _typing({ typing }) {
    if (this.#chat) this.#chat.stranger.typed = typing;
  }

  _pictures({ allow }) {
    if (this.#chat) this.#chat.stranger.allows = allow;
  }

  _picture({ id }) {
    if (this.#chat) this.tell({ type: "upload", id, key: this.#key({ id }), within: 30 });
  }

  _resume({ token, last = 0 }) {
    this.#resuming = true;
    queueMicrotask(() => {
      this.#resuming = false;
      if (!this.#tokens.includes(token)) return this.tell({ type: "error", code: "no_session", message: "No such session.", of: "resume" });
      const { frame, seq, taken, refused, lines, sent, stranger } = this.#chat ?? { lines: [] };
      const missed = lines.filter((line) => line.seq > last);
      const chat = frame ? { ...frame, seq, taken, refused, ...(frame.pictures && { album: { own: stranger.allows, theirs: true, sent } }) } : { chat: null, seq: 0, taken: 0 };
      this.tell({ ...chat, type: "resumed", missed: missed.length });
      for (const line of missed) this.tell(line);
    });
  }

  _ping() {
    this.tell({ type: "pong" });
  }
  _report(frame) {
    this.#ofChat(frame, { type: "reported" });
  }
  _save(frame) {
    this.#ofChat(frame, { type: "saved", url: "/log/fake", delete: "/log/delete/fake" });
  }
  _block(frame) {
    this.#ofChat(frame, { type: "blocked", token: "fake" });
  }
  /** Answer a request about the chat or the one before. */
  #ofChat({ type, chat }, answer) {
    const known = [this.#chat?.frame.chat, this.#past].filter(Boolean);
    if (chat ? known.includes(chat) : known.length) this.tell(answer);
    else this.#noChat(type);
  }
  #noChat(of, id) {
    this.tell({ type: "error", code: "no_chat", message: "There is no chat.", of, id });
  }
  _here() {
    this.tell({ type: "here", pairs: [] });
  }
  _solution({ kind }) {
    this.tell({ type: "solved", kind });
  }
}
