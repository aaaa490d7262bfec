// What the client promises beside client/scenarios.json, against its own fake server: `node testing.mjs FOLDER_OF_CLIENT`.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { pathToFileURL } from "node:url";

const of = (name) => import(pathToFileURL(`${process.argv[2]}/${name}`).href);
const { Client, NotSent, Refused, WrongField } = await of("v1.js");
const { FakeServer, settle } = await of("testing.js");

const made = (options) => {
  const server = new FakeServer(options);
  return [server, new Client(server.url, { world: server.world })];
};
const meeting = async (server, me, wishes) => (await Promise.all([me.find(wishes), server.meet()]))[1];

const cases = {
  async "a stranger is met who talks, drops, refuses and leaves"() {
    const [server, me] = made();
    const stranger = await meeting(server, me, { interests: ["tea"] });
    const heard = [];
    me.on("message", ({ text }) => heard.push(text));
    stranger.say("hello");
    assert.deepEqual(await me.say("hi"), { seq: 2 });
    assert.deepEqual(stranger.heard, ["hi"]);
    server.drop();
    stranger.say("are you there?");
    const said = me.say("back");
    await server.clock.advance(2000);
    assert.deepEqual(heard, ["hello", "are you there?"]);
    assert.deepEqual(await said, { seq: 4 });
    server.refuse("message", "slow", { retry_after: 1 });
    await assert.rejects(me.say("too much"), (error) => error instanceof NotSent && error.text === "too much" && error.code === "slow" && error.retryAfter === 1);
    stranger.leave();
    assert.equal(me.getSnapshot().phase, "ended");
  },
  async "a dead line is noticed and replaced while the partner waits, and in half of a shorter time too"() {
    for (const share of [1, 0.2]) {
      const [server, me] = made({ raw: true });
      await server.connected();
      const hello = { type: "hello", session: "s", token: "t1", online: 2, grace: 15 * share };
      server.tell(hello);
      server.tell({ type: "matched", chat: "c", role: "stranger", common: [], language: "en", side: 1 });
      for (let answered = 0; answered < 3; answered += 1) {
        await server.clock.advance(5000 * share);
        assert.equal((await server.next()).type, "ping");
        server.tell({ type: "pong" });
      }
      server.silence();
      await server.clock.advance(7990 * share);
      let noticed = 0;
      me.on("dropped", () => (noticed += 1));
      await server.clock.advance(9 * share);
      assert.equal(noticed, 0);
      await server.clock.advance(2 * share);
      assert.equal(noticed, 1);
      await server.clock.advance(1500);
      assert.equal((await server.next()).type, "resume");
      server.silence(); // before its first frame
      await server.clock.advance(5000 * share + 1500);
      assert.equal((await server.next()).type, "resume");
    }
  },
  async "a server that refuses by its limits is asked by no other way"() {
    const [server, me] = made({ blocks: true });
    const { fetch } = server.world;
    let status = 429;
    const asked = [];
    server.world.fetch = async (address, options) => {
      const { pathname } = new URL(address);
      asked.push(pathname);
      return pathname === "/api/why" && status !== 101 ? { ok: true, json: async () => ({ status, reason: "slower", final: false }) } : fetch(address, options);
    };
    const dropped = [];
    me.on("dropped", (event) => dropped.push(event.status));
    const advance = async (until) => {
      for (let step = 0; !until() && step < 5000; step += 1) await server.clock.advance(500);
      assert.ok(until(), `${asked}`);
    };
    await advance(() => dropped.length > 4 && asked.length > dropped.length + 2); // the link asks too
    assert.ok(dropped.every((one) => one === 429), `${dropped}`);
    assert.ok(!asked.includes("/api/poll"));
    status = 101; // a proxy blocks
    await advance(() => server.socket);
    assert.ok(asked.includes("/api/poll"));
  },
  async "by HTTP requests a page that goes away says so, comes back when it is shown again, and has its cookie where it may"() {
    for (const listed of [true, false, "by the second try"]) {
      let fails = listed !== true;
      const server = new FakeServer({ blocks: true });
      const page = new EventTarget();
      const { fetch } = server.world;
      const polls = [];
      server.world.fetch = async (address, options = {}) => {
        if (fails && options.credentials === "include") {
          fails = !listed;
          throw new TypeError("the answer is open to all pages, and not to cookies");
        }
        const place = new URL(address);
        if (place.pathname !== "/api/why") polls.push({ ...options, place });
        return fetch(address, options);
      };
      server.world.addEventListener = (...given) => page.addEventListener(...given);
      new Client(server.url, { world: server.world });
      const connected = async () => {
        for (let step = 0; !server.socket && step < 5000; step += 1) await server.clock.advance(500);
        assert.ok(server.socket);
      };
      await connected();
      page.dispatchEvent(new Event("pagehide"));
      await settle();
      const last = polls.at(-1);
      assert.deepEqual([last.place.searchParams.get("close"), last.method, last.keepalive], ["1001", "POST", true]);
      assert.equal(server.socket, null);
      page.dispatchEvent(new Event("pageshow"));
      await connected();
      assert.deepEqual(new Set(polls.map(({ credentials }) => credentials)), new Set([listed ? "include" : "same-origin"]));
    }
  },
  async "a wrong field throws with its name, and nothing is sent"() {
    const [server, me] = made({ raw: true });
    await server.connected();
    for (const [wishes, field] of [[{ mode: "vidoe" }, "mode"], [{ interest: ["tea"] }, "interest"], [{ interests: "tea" }, "interests"], [{ strict: 1 }, "strict"]])
      assert.throws(() => me.find(wishes), (error) => error instanceof WrongField && error.field === field);
    assert.throws(() => me.react(1, "frown"), WrongField);
    assert.throws(() => new Client("localhost:8080"), TypeError);
    assert.equal(server.frames.length, 0);
  },
  async "a refused search throws, with what the server said"() {
    const [server, me] = made();
    server.refuse("find", "bad_field", { field: "interests" });
    await assert.rejects(me.find(), (error) => error instanceof Refused && error.code === "bad_field" && error.field === "interests");
  },
  async "a search is given up in time, or by a signal, and left"() {
    const [server, me] = made();
    const late = assert.rejects(me.find({}, { timeout: 1000 }), { name: "TimeoutError" });
    await server.clock.advance(1001);
    await late;
    assert.equal(me.getSnapshot().phase, "idle");
    const stop = new AbortController();
    const found = assert.rejects(me.find({}, { signal: stop.signal }), { name: "AbortError" });
    stop.abort();
    await found;
  },
  async "a line that is given up before it was sent is not sent; one under way is unknown"() {
    const [server, me] = made({ raw: true });
    await server.connected();
    server.tell({ type: "hello", session: "s", token: "t1", online: 1, grace: 15 });
    server.tell({ type: "matched", chat: "c", role: "stranger", common: [], language: "en" });
    const under = assert.rejects(me.say("under way", { timeout: 100 }), { code: "unknown" });
    server.drop();
    await settle();
    const never = assert.rejects(me.say("never", { timeout: 100 }), { code: "timeout" });
    await server.clock.advance(101);
    await Promise.all([under, never]);
  },
  async "a search again waits, reads the notice, solves what it is asked, and never falls silent"() {
    const [server, me] = made();
    const shown = [];
    server.refuse("find", "too_fast", { retry_after: 3 });
    server.refuse("find", "notice");
    const refused = (code) => new Promise((done) => me.on("error", (event) => event.code === code && done()));
    const [slow, unread] = [refused("too_fast"), refused("notice")];
    const found = me.search({ again: true, notice: ({ id }) => void shown.push(id) });
    await slow;
    await server.clock.advance(3200);
    await unread;
    server.tell({ type: "notice", id: "n1", kind: "warning", rule: "R1", reason: "Be kind.", day: "2026-01-01", by: "person", appeal: "/appeal" });
    const first = await server.meet();
    const chat = await found;
    assert.deepEqual(shown, ["n1"]);
    assert.equal(chat.chat, first.chat);
    first.leave();
    const second = await server.meet();
    assert.notEqual(second.chat, first.chat);
    me.leave();
    await settle();
    assert.equal(me.getSnapshot().phase, "idle");
  },
  async "the wait for a notice ends in time, by a signal, and when the user does something else"() {
    const [server, me] = made();
    const refused = () => new Promise((done) => me.on("error", done));
    const waiting = async (limits, notice = () => assert.fail("shown")) => {
      server.refuse("find", "notice");
      const [heard, found] = [refused(), me.search({ notice }, limits)];
      await heard;
      await settle();
      return [found];
    };
    const [late] = await waiting({ timeout: 1000 });
    const over = assert.rejects(late, { name: "TimeoutError" });
    await server.clock.advance(1001);
    await over;
    assert.equal(me.getSnapshot().phase, "idle");
    const stop = new AbortController();
    const [given] = await waiting({ signal: stop.signal });
    stop.abort();
    await assert.rejects(given, { name: "AbortError" });
    const [left] = await waiting();
    me.leave();
    await assert.rejects(left, { name: "AbortError" });
    let read;
    const [other] = await waiting(undefined, () => new Promise((done) => (read = done)));
    server.tell({ type: "notice", id: "n1", kind: "warning", rule: "R1", reason: "Be kind.", day: "2026-01-01", by: "person", appeal: "/appeal" });
    await settle();
    const stranger = await meeting(server, me);
    read();
    await assert.rejects(other, { name: "AbortError" });
    await me.say("still here"); // the first search did not search again
    assert.deepEqual(stranger.heard, ["still here"]);
  },
  async "too many frames for a connection that is not there are refused, and none is dropped silently"() {
    const [server, me] = made();
    await meeting(server, me);
    server.refuses = true;
    server.drop();
    for (let frame = 0; frame < 64; frame += 1) me.react(1, "heart");
    assert.throws(() => me.react(1, "wow"), RangeError);
  },
  async "while the server is away for long the waits grow, in a chat too"() {
    const [server, me] = made();
    await meeting(server, me);
    const waits = [];
    me.on("dropped", ({ after }) => waits.push(after));
    server.refuses = true;
    server.drop();
    for (let hour = 0; hour < 60; hour += 1) await server.clock.advance(60_000);
    assert.ok(Math.max(...waits.slice(0, 10)) <= 1.5, `${waits.slice(0, 10)}`);
    assert.ok(waits.at(-1) >= 10 && waits.length < 400, `${waits.length}`);
  },
  async "two exchange pictures once both allow them, a cut costs none, and a refusal is told"() {
    const [server, me] = made({ pictures: true });
    const stranger = await meeting(server, me, { pictures: true });
    const album = await me.album();
    stranger.allow();
    await settle();
    assert.deepEqual([album.own, album.theirs], [false, true]);
    album.allow();
    assert.ok(stranger.allows && me.getSnapshot().album.own);
    const first = new Blob(["first"]);
    assert.equal((await album.send(first)).own, true);
    server.refuse("picture", "no_picture");
    await assert.rejects(album.send(first), (refused) => refused instanceof Refused && refused.code === "no_picture");
    server.drop();
    const second = album.send(new Blob(["second"]));
    await server.clock.advance(2000);
    assert.equal((await second).seq, 0);
    stranger.show(new Blob(["theirs"]));
    await settle();
    assert.deepEqual(album.sent.map(({ own = false }) => own), [true, true, false]);
    assert.equal(await (await album.fetch(album.sent[2].key)).text(), "theirs");
    assert.equal(stranger.pictures.length, 2);
    assert.equal(await album.fetch("unknown"), null);
    const behind = album.send(first);
    stranger.leave();
    await assert.rejects(behind, { code: "no_chat" });
    assert.throws(() => album.allow(), Refused);
    await assert.rejects(me.album(), TypeError);
  },
  async "a challenge that no program solves is the caller's"() {
    const [server, me] = made();
    server.refuse("find", "challenge");
    const found = me.search({ challenge: ({ parameters }) => `answer to ${parameters.sitekey}` });
    await server.connected();
    await settle();
    server.tell({ type: "challenge", kind: "turnstile", parameters: { sitekey: "k" }, within: 60 });
    await server.meet();
    assert.equal((await found).type, "matched");
  },
  async "two loops read all events, the first also those from before it"() {
    const [server, me] = made();
    const stranger = await meeting(server, me);
    stranger.say("early");
    const read = async () => {
      const texts = [];
      for await (const event of me) if (event.type === "message" && texts.push(event.text) === 2) break;
      return texts;
    };
    const first = read();
    await settle();
    const second = read();
    await settle();
    stranger.say("later");
    stranger.say("last");
    assert.deepEqual(await first, ["early", "later"]);
    assert.deepEqual(await second, ["later", "last"]);
  },
  async "a loop ends with the client, and what was waited for ends too"() {
    const [server, me] = made();
    await server.connected();
    const found = assert.rejects(me.find(), { name: "Disconnected" });
    const types = [];
    const loop = (async () => {
      for await (const event of me) types.push(event.type);
    })();
    await settle();
    await me.close();
    await loop;
    await found;
    assert.equal(types.at(-1), "closed");
    await assert.rejects(me.say("late"), { code: "closed" });
    assert.throws(() => me.typing(true) ?? me.find(), { name: "Disconnected" });
  },
  async "a listener that throws stops nothing"() {
    const [server, me] = made();
    const thrown = new Promise((done) => process.once("uncaughtException", done));
    me.on("matched", () => {
      throw new Error("of a listener");
    });
    const stranger = await meeting(server, me);
    assert.equal((await thrown).message, "of a listener");
    await me.say("on it goes");
    assert.deepEqual(stranger.heard, ["on it goes"]);
  },
  async "a request about a chat is refused without one, and taken behind it"() {
    const [server, me] = made();
    const asked = [() => me.report("spam"), () => me.save(), () => me.block()];
    for (const ask of asked) await assert.rejects(ask(), (error) => error instanceof Refused && error.code === "no_chat");
    const stranger = await meeting(server, me);
    const { chat } = me.chat;
    stranger.leave();
    await settle();
    for (const ask of [...asked, () => me.save({ chat })]) await ask();
    await assert.rejects(me.save({ chat: "another" }), (error) => error.code === "no_chat");
    server.forget();
    await assert.rejects(me.block(), (error) => error.code === "no_chat");
  },
  async "a request is answered, also across a drop, and a snapshot is replaced at each change"() {
    const [server, me] = made();
    await meeting(server, me);
    const before = me.getSnapshot();
    assert.ok(Object.isFrozen(before));
    assert.equal((await me.report("spam")).type, "reported");
    server.drop();
    const saved = me.save();
    assert.notEqual(me.getSnapshot(), before);
    await server.clock.advance(2000);
    assert.equal((await saved).url, "/log/fake");
    assert.equal((await me.ping()).type, "pong");
  },
  async "a page of another origin is refused for good only while the server itself answers"() {
    const { explain } = await of("why.js");
    const asked = (files) =>
      explain("wss://chat.example/ws", {
        fetch: async ({ pathname }, { mode }) => {
          if (mode === "no-cors") return { type: "opaque" };
          if (files && pathname.startsWith("/client/")) return { ok: true };
          throw new TypeError("no header allows this page to read it");
        },
      });
    assert.deepEqual([(await asked(true)).final, (await asked(false)).final], [true, undefined]);
  },
  async "a client that is closed at once opens no connection, also where its socket is loaded first"() {
    const network = createServer();
    await new Promise((done) => network.listen(0, "127.0.0.1", done));
    const { port } = network.address();
    const first = new Promise((done) => network.once("connection", done));
    const me = new Client(`http://127.0.0.1:${port}`, { world: { setTimeout, clearTimeout, Date } });
    await me.close();
    await of("node-socket.js");
    await settle();
    const last = connect(port, "127.0.0.1");
    await new Promise((done) => last.once("connect", done));
    assert.equal((await first).remotePort, last.localPort);
    last.destroy();
    network.close();
  },
  async "a chat that a listener leaves when it begins stays left across a drop"() {
    const [server, me] = made({ raw: true });
    await server.connected();
    const off = me.on("matched", () => (off(), me.leave()));
    server.tell({ type: "hello", session: "s", token: "t1", online: 1, grace: 15 });
    const matched = { chat: "c", role: "stranger", common: [], language: "en" };
    server.tell({ type: "matched", ...matched });
    assert.deepEqual(await server.next(), { type: "leave" });
    server.drop();
    await server.clock.advance(1000);
    assert.equal((await server.next()).type, "resume");
    server.tell({ type: "hello", session: "s", token: "t2", online: 1, grace: 15 });
    server.tell({ type: "resumed", ...matched, seq: 0, taken: 0, missed: 0 });
    assert.equal(me.chat, null);
    assert.deepEqual(await server.next(), { type: "leave" });
  },
  async "a silent connection in a chat is pinged, and given up without an answer"() {
    const [server, me] = made({ raw: true });
    await server.connected();
    server.tell({ type: "hello", session: "s", token: "t1", online: 1, grace: 15 });
    server.tell({ type: "matched", chat: "c", role: "stranger", common: [], language: "en" });
    const first = server.socket;
    await server.clock.advance(15_100);
    assert.deepEqual(await server.next(), { type: "ping" });
    await server.clock.advance(6000);
    assert.notEqual(server.socket, first);
    assert.equal((await server.next()).type, "resume");
    me.leave();
  },
};

for (const [sentence, run] of Object.entries(cases)) {
  const late = setTimeout(() => {
    throw new Error(`not in time: ${sentence}`);
  }, 10_000);
  await run().catch((error) => {
    console.error(sentence);
    throw error;
  });
  clearTimeout(late);
  console.log(sentence);
}
console.log("all held");
process.exit();
