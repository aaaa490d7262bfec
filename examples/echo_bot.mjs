// Run a bot that repeats each message of its partner: `node examples/echo_bot.mjs http://127.0.0.1:8080`.
import { Client } from "../client/js/v1.js"; // in a project of one's own: "serendip-client"

const bot = new Client(process.argv[2]);
bot.on("closed", ({ reason }) => console.error(reason));
await bot.search({ interests: ["echo"], again: true });
for await (const event of bot)
  if (event.type === "message") await bot.say(event.text).catch(({ code }) => console.error("not sent:", code));
