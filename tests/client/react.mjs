// Render a component with the hooks, against the fake server: `node react.mjs FOLDER_OF_CLIENT FOLDER_OF_MODULES`.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, modules] = process.argv.slice(2);
const require = createRequire(`${modules}/package.json`);
const { act, createElement, StrictMode } = require("react");
const { create } = require("react-test-renderer");
const { useEvent, useStranger } = await import(pathToFileURL(`${folder}/react.js`).href);
const { FakeServer, settle } = await import(pathToFileURL(`${folder}/testing.js`).href);

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
console.error = (...said) => String(said[0]).includes("deprecated") || assert.fail(said.join(" "));
const server = new FakeServer();
const options = { world: server.world };
const clients = new Set();
const heard = [];

function View() {
  const [me, { phase, lines }] = useStranger(server.url, options);
  useEvent(me, "message", ({ text }) => heard.push(text));
  if (me) clients.add(me);
  return `${phase}: ${lines.map(({ from, text }) => `${from} ${text}`).join(", ")}`;
}
const during = (work) =>
  act(async () => {
    await work();
    await settle();
  });

let view;
await during(() => (view = create(createElement(StrictMode, null, createElement(View)))));
const me = [...clients].at(-1);
assert.equal(view.toJSON(), "idle: ");
let stranger;
await during(async () => {
  void me.find();
  stranger = await server.meet();
});
assert.equal(view.toJSON(), "chat: ");
await during(async () => {
  stranger.say("hello");
  await me.say("hi");
});
assert.equal(view.toJSON(), "chat: them hello, me hi");
assert.deepEqual(heard, ["hello"]);
await during(() => view.unmount());
assert.ok([...clients].every((one) => one.getSnapshot().closed));
assert.ok(stranger.left);
console.log("all held");
process.exit();
