// Cut the connections of two clients after random numbers of bytes, and count lines: `node resumes.mjs FOLDER_OF_CLIENT PORT RESUMES SEED`.
import { connect, createServer } from "node:net";
import { pathToFileURL } from "node:url";

const [folder, port, wanted, seed] = process.argv.slice(2);
const { Client } = await import(pathToFileURL(`${folder}/v1.js`).href);

let dice = Number(seed) >>> 0;
const random = () => ((dice = (Math.imul(dice, 1664525) + 1013904223) >>> 0) / 2 ** 32);
let cutting = false;

/** A network that ends after so many bytes, in the midst of a frame too. */
const network = createServer((near) => {
  const far = connect(Number(port), "127.0.0.1");
  let left = 50 + Math.floor(random() * 1500);
  const pass = (from, to) =>
    from.on("data", (data) => {
      if (cutting && (left -= data.length) < 0) {
        to.write(data.subarray(0, Math.max(0, data.length + left)));
        near.destroy();
        far.destroy();
      } else to.write(data);
    });
  for (const end of [near, far]) end.on("error", () => {}).on("close", () => (near.destroy(), far.destroy()));
  pass(near, far);
  pass(far, near);
});
await new Promise((done) => network.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${network.address().port}`;
const people = [0, 1].map(() => new Client(url, { backoff: () => 5 }));

let resumes = 0;
const heard = [[], []];
let over = null;
people.forEach((me, at) => {
  me.on("resumed", () => (resumes += 1));
  me.on("message", ({ text }) => heard[at].push(Number(text)));
  for (const type of ["left", "closed"]) me.on(type, (event) => (over ??= `${type} ${JSON.stringify(event)}`));
});
await Promise.all(people.map((me) => me.find({ interests: ["resumes"] })));
cutting = true;
const counts = [0, 0];
const unsent = [];
const talk = async (me, at) => {
  while (resumes < Number(wanted) && !over) {
    const batch = Array.from({ length: 1 + Math.floor(random() * 5) }, () => me.say(`${(counts[at] += 1)}`).catch((error) => unsent.push(error.code)));
    await Promise.all(batch);
  }
};
await Promise.all(people.map(talk));
cutting = false;
for (const end = Date.now() + 20_000; !over && Date.now() < end && heard.some((lines, at) => lines.at(-1) !== counts[1 - at]); )
  await new Promise((done) => setTimeout(done, 20));

let [lost, doubled, swapped] = [0, 0, 0];
heard.forEach((lines, at) => {
  const there = new Set(lines);
  doubled += lines.length - there.size;
  for (let line = 1; line <= counts[1 - at]; line += 1) lost += !there.has(line);
  swapped += lines.filter((line, place) => place && line < lines[place - 1]).length;
});
console.log(JSON.stringify({ resumes, said: counts[0] + counts[1], lost, doubled, swapped, unsent: unsent.length, over }));
process.exit();
