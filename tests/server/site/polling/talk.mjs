// Two clients at URL, through a proxy that refuses WebSockets: `node talk.mjs FOLDER_OF_CLIENT URL LINES`. Writes `cut` when the network should fail, last a line of JSON.
const [folder, url, lines] = process.argv.slice(2);
const { Client } = await import(`file://${folder}/v1.js`);
const [one, two] = [new Client(url), new Client(url)];
const [a, b] = await Promise.all([one.find({ interests: ["tea"] }), two.find({ interests: ["tea"] })]);
const heard = [];
const all = new Promise((done) => two.on("message", ({ text }) => heard.push(text) === Number(lines) && done()));
for (let line = 1; line <= lines; line += 1) {
  if (line % 10 === 0) console.log("cut");
  await one.say(`line ${line}`);
}
await all;
console.log(JSON.stringify({ same: a.chat === b.chat, heard }));
process.exit();
