// Run client/scenarios.json with the JavaScript client: `node scenarios.mjs FOLDER_OF_CLIENT SCENARIOS`. Writes one line of JSON for each.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const { Client } = await import(pathToFileURL(`${folder}/v1.js`).href);
const { backoff } = await import(pathToFileURL(`${folder}/backoff.js`).href);
const { FakeServer, settle } = await import(pathToFileURL(`${folder}/testing.js`).href);

// so that a scenario does not wait for a file
for (const name of ["album.js", "polls.js"]) await import(pathToFileURL(`${folder}/${name}`).href);

const CHAT = [
  { open: 1 },
  { server: { type: "hello", session: "s", token: "t1", online: 2, grace: 15 } },
  { event: { type: "hello" } },
  { do: "find" },
  { client: { type: "find" } },
  { server: { type: "matched", chat: "c", role: "stranger", common: [], language: "en", side: 1 } },
  { event: { type: "matched" } },
];

const show = JSON.stringify;
function meets(found, wanted, what) {
  for (const [name, value] of Object.entries(wanted))
    if (value !== "*" && show(found[name] ?? null) !== show(value)) throw new Error(`${what}: ${show(found)} is not ${show(wanted)}`);
}

async function play({ steps, chat, longest, blocked: blocks }) {
  const server = new FakeServer({ raw: true, blocks });
  const tried = longest ? 9 : 0;
  const me = new Client(server.url, { world: server.world, backoff: (attempt, ...more) => backoff(attempt + tried, ...more) });
  let album;
  const events = [];
  const fates = new Map();
  me.on("*", (event) => events.push(event));
  const until = async (test, what) => {
    for (const end = Date.now() + 5000; !test(); await settle()) if (Date.now() > end) throw new Error(`${what} did not come`);
  };
  const actions = {
    find: (wishes) => void me.find(wishes),
    leave: () => me.leave(),
    allow: async (allow) => (album ??= await me.album()).allow(allow),
    ping: () => void me.ping().catch(() => {}),
    say: (text, as) => void me.say(text).then((told) => fates.set(as, told), (error) => fates.set(as, error)),
  };
  const run = {
    open: () => server.connected(),
    server: (frame) => server.tell(frame),
    client: async (wanted) => {
      const frame = await server.next();
      meets(frame, wanted, "frame");
      meets(wanted, Object.fromEntries(Object.keys(frame).map((name) => [name, name in wanted ? wanted[name] : "absent"])), "frame");
    },
    do: (name, step) => actions[name](step.with, step.as),
    event: async (wanted, { least, most }) => {
      await until(() => events.length, show(wanted));
      const event = events.shift();
      meets(event, wanted, "event");
      if (event.after < least || event.after > most) throw new Error(`${event.after} is not between ${least} and ${most}`);
    },
    fate: async (as, step) => {
      await until(() => fates.has(as), `the fate of ${as}`);
      const { seq = null, code = null, retryAfter = null } = fates.get(as);
      meets({ seq, code, after: retryAfter }, { seq: step.seq ?? null, code: step.code ?? null, after: step.after ?? null }, as);
    },
    drop: () => server.drop(),
    close: (code) => server.drop(code),
    pass: (seconds) => server.clock.advance(seconds * 1000),
  };
  for (const step of [...(chat ? CHAT : []), ...steps]) {
    const [name, value] = Object.entries(step)[0];
    await run[name](value, step);
    await settle();
  }
  if (events.length) throw new Error(`events that were not expected: ${show(events)}`);
  if (server.frames.length) throw new Error(`frames that were not expected: ${show(server.frames)}`);
  await me.close();
}

for (const scenario of JSON.parse(readFileSync(file, "utf8"))) {
  const wrong = await play(scenario).then(() => null, (error) => error.message);
  console.log(show({ it: scenario.it, wrong }));
}
process.exit();
