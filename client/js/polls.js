// Speak to the server by HTTP requests (long polling), where a proxy does not pass on WebSockets. link.js loads it when it needs it.
//
// Requests are numbered, so that one which a browser or a proxy sends twice has one effect. A request without an answer ends the connection,
// and the session is resumed.
const POLL = 40_000; // ms for a poll, which the server holds for 25 s
const SEND = 10_000;
const FRAMES = 64; // of one request
const BODY = 60_000; // characters of one request, but for a frame that is longer by itself
const CUT = 1006;
const AWAY = 1001;

/**
 * Call `take` with PollSocket if the server of the WebSocket address `url` would accept a WebSocket: then it is the path that fails. One that
 * refuses it, by its limits for one, would refuse requests too: `take` gets false.
 */
export async function open(url, world, take) {
  const place = new URL("/api/why", url.replace(/^ws/, "http"));
  const ask = async (credentials) => {
    try {
      return await (await world.fetch(place, { cache: "no-store", credentials, signal: AbortSignal.timeout(SEND) })).json();
    } catch {
      return null;
    }
  };
  // A session is bound to the cookie that its WebSocket had. A server that is open to every page may be sent none by a page of another origin;
  // a request with it may also fail by chance. Once one without it was answered, a second try tells which.
  const first = await ask("include");
  const without = first ? null : await ask("same-origin");
  const told = first ?? (without && (await ask("include")));
  const credentials = told ? "include" : "same-origin";
  const Socket = function (address, protocol, given) {
    return new PollSocket(address, protocol, given, credentials);
  };
  take((told ?? without)?.status === 101 && Socket);
}

/** The part of a browser's WebSocket that link.js uses. */
export default class PollSocket {
  readyState = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  #place;
  #fetch;
  #credentials;
  #end = new AbortController();
  #unsent = [];
  #number = 0;
  #sending = false;

  /** `world`: fetch, and in a page addEventListener; `credentials`: as of fetch. */
  constructor(url, _protocol, world = globalThis, credentials = "same-origin") {
    this.#place = new URL(url.replace(/^ws/, "http"));
    this.#place.pathname = "/api/poll";
    this.#fetch = (...asked) => world.fetch(...asked);
    this.#credentials = credentials;
    world.addEventListener?.("pagehide", () => this.#leavePage(), { signal: this.#end.signal });
    // In a later task: a page that goes elsewhere cancels the poll just before it says so.
    this.#run().catch(() => setTimeout(() => this.#over(CUT)));
  }

  send(text) {
    this.#unsent.push(text);
    if (!this.#sending) this.#flush().catch(() => this.#over(CUT));
  }

  close(code = 1000) {
    if (this.readyState > 1) return;
    const last = this.readyState ? this.#unsent.splice(0) : null;
    this.readyState = 3;
    this.#end.abort();
    if (!last) return;
    this.#ask(`number=${(this.#number += 1)}&close=${code}`, { method: "POST", body: last.join("\n"), keepalive: true }, SEND).catch(() => {});
  }

  /** The page goes away: say so, as a browser closes a WebSocket. A page that is shown again connects anew. */
  #leavePage() {
    this.close(AWAY);
    this.onclose?.({ code: AWAY });
  }

  async #run() {
    const opened = await this.#ask("", { method: "POST" }, SEND);
    const { id } = await opened.json();
    this.#place.pathname += `/${id}`;
    this.#place.search = "";
    if (this.readyState) return void this.#ask("close=4000", { method: "POST" }, SEND).catch(() => {}); // closed meanwhile
    this.readyState = 1;
    this.onopen?.();
    for (let after = 0; this.readyState === 1; ) {
      const answer = await this.#ask(`after=${after}`, {}, POLL);
      const { number, frames, closed } = await answer.json();
      if (number !== after) for (const frame of frames) if (this.readyState === 1) this.onmessage?.({ data: JSON.stringify(frame) });
      after = number;
      if (closed) this.#over(closed);
    }
  }

  async #flush() {
    this.#sending = true;
    await null; // what is sent in one turn is one request
    while (this.readyState === 1 && this.#unsent.length) {
      let [count, size] = [0, 0];
      while (count < this.#unsent.length && count < FRAMES && (!count || size + this.#unsent[count].length * 3 < BODY))
        size += this.#unsent[count++].length * 3;
      const body = this.#unsent.splice(0, count).join("\n");
      await this.#ask(`number=${(this.#number += 1)}`, { method: "POST", body }, SEND);
    }
    this.#sending = false;
  }

  async #ask(query, options, most) {
    const place = new URL(this.#place);
    if (query) place.search = query;
    const late = AbortSignal.timeout(most);
    const signal = this.readyState > 1 ? late : AbortSignal.any([late, this.#end.signal]);
    const answer = await this.#fetch(place.href, { cache: "no-store", credentials: this.#credentials, ...options, signal });
    if (!answer.ok) throw new Error(`refused with ${answer.status}`);
    return answer;
  }

  #over(code) {
    if (this.readyState > 2) return;
    this.readyState = 3;
    this.#end.abort();
    this.onclose?.({ code });
  }
}
