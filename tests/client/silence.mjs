// Chat through a network that falls silent, and speak once the session is resumed: `node silence.mjs FOLDER_OF_CLIENT URL INTEREST`.
import { pathToFileURL } from "node:url";

const [folder, url, interest] = process.argv.slice(2);
const { Client } = await import(pathToFileURL(`${folder}/v1.js`).href);

const me = new Client(url);
await me.find({ interests: [interest] });
const resumed = new Promise((done) => me.on("resumed", done));
console.log("matched");
await resumed;
await me.say("here again");
await me.close();
process.exit();
