// Two clients exchange a picture across a cut: `node album.mjs FOLDER_OF_CLIENT URL JPEG`. Last it writes a line of JSON.
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { pathToFileURL } from "node:url";

const [folder, url, file] = process.argv.slice(2);
const { Client, Refused } = await import(pathToFileURL(`${folder}/v1.js`).href);
const jpeg = readFileSync(file);
const far = new URL(url);

const open = new Set();
const network = createServer((near) => {
  const there = connect(Number(far.port), far.hostname);
  for (const end of [near, there]) {
    open.add(end);
    end.on("error", () => {}).on("close", () => (near.destroy(), there.destroy(), open.delete(end)));
  }
  near.pipe(there).pipe(near);
});
await new Promise((done) => network.listen(0, "127.0.0.1", done));

const people = [new Client(`http://127.0.0.1:${network.address().port}`, { backoff: () => 5 }), new Client(url)];
await Promise.all(people.map((me) => me.find({ interests: ["album"], pictures: true })));
const [mine, theirs] = await Promise.all(people.map((me) => me.album()));
const becomes = (me, test) => new Promise((done) => test() ? done() : me.subscribe(() => test() && done()));
const early = await mine.send(jpeg).catch((error) => (error instanceof Refused ? error.code : `${error}`));
mine.allow();
await becomes(people[1], () => theirs.theirs);
theirs.allow();
await becomes(people[0], () => mine.theirs);
const sent = mine.send(jpeg);
for (const end of open) end.destroy(); // whatever of it has passed
const own = await sent;
await becomes(people[1], () => theirs.sent.length);
const got = Buffer.from(await (await theirs.fetch(theirs.sent[0].key)).arrayBuffer());
const wrong = await theirs.send(new Blob(["no JPEG"])).catch((error) => error.code);
for (const end of open) end.destroy();
mine.allow(false);
await becomes(people[1], () => !theirs.theirs);
const late = await theirs.send(jpeg).catch((error) => error.code);
console.log(JSON.stringify({ early, own: own.own, same: got.equals(jpeg), count: theirs.sent.length, wrong, late }));
process.exit();
