// What compiles with the client's types, and what does not: read by tsc --strict (test_types.py), never run.
import { Client, NotSent, Refused, type Event, type Matched, type Snapshot } from "../../client/js/v1.js";
import { useEvent, useStranger } from "../../client/js/react.js";
import { FakeServer } from "../../client/js/testing.js";

const server = new FakeServer();
const me = new Client(server.url, { world: server.world, patience: 60 });
new Client();

const chat: Matched = await me.find({ mode: "video", interests: ["tea"], role: "stranger" }, { timeout: 1000, signal: new AbortController().signal });
await me.search({ again: true, notice: (notice) => notice.reason, challenge: async ({ parameters }) => String(parameters["sitekey"]) });
const { seq }: { seq: number | null } = await me.say(chat.common.join());
me.on("message", ({ seq, text }) => me.react(seq, text === "ha" ? "laugh" : undefined));
me.on("dropped", ({ after, reason }) => `${reason} ${after.toFixed()}`);
me.on("*", (event) => event.type);

for await (const event of me) {
  const known: Event = event;
  if (event.type === "left") event.by satisfies "stranger" | "moderation" | "lost";
  else if (event.type === "error" && event.code === "too_fast") event.retry_after satisfies number | undefined;
  else if (event.type === "closed") event.reason satisfies string;
  else known.type satisfies string;
}
const snapshot: Snapshot = me.getSnapshot();
snapshot.lines.map(({ from, state }) => `${from} ${state}`);
me.subscribe(() => {})();
const reported = await me.report("spam", { note: "sells", lines: [1] });
reported.receipt satisfies string | undefined;
try {
  await me.say("hello", { timeout: 5 });
} catch (error) {
  if (error instanceof NotSent) `${error.text} ${error.code} ${error.retryAfter ?? 0}`;
  if (error instanceof Refused) error.field satisfies string | undefined;
}
const stranger = await server.meet({ common: [] });
(await stranger.hears()) satisfies string;

const call = await me.call(new MediaStream(), { relay: true });
call.addEventListener("veil", () => call.veiled);
call.theirs.curtain satisfies boolean | undefined;
call satisfies EventTarget;
call.removeEventListener("veil", () => call.veiled, { capture: true });
call.remote.getTracks().map(({ kind }) => kind satisfies string);
(await call.stats())?.forEach((one: unknown) => one);
// @ts-expect-error no stream
me.call(new Blob([]));

const album = await me.album();
album.allow();
const shown = await album.send(new Blob([]), { timeout: 5 });
shown.veil satisfies "nudity" | "unchecked" | undefined;
const picture: Blob | null = await album.fetch(album.sent[0]?.key ?? shown.key);
const wishes: { own: boolean; theirs: boolean } | undefined = me.chat?.album ?? snapshot.album;
stranger.pictures.includes(picture!) && wishes;

const [mine, { lines }] = useStranger("https://chat.example", { patience: 60 });
lines[0]?.text satisfies string | undefined;
useEvent(mine, "left", ({ by }) => by);

// @ts-expect-error no such mode
me.find({ mode: "vidoe" });
// @ts-expect-error no such field
me.find({ interest: ["tea"] });
// @ts-expect-error no such reason
me.report("foo");
// @ts-expect-error no such face
me.react(1, "frown");
// @ts-expect-error no such event
me.on("mesage", () => {});
// @ts-expect-error a line is text
me.say(1);
// @ts-expect-error a snapshot is not changed
snapshot.phase = "chat";
// @ts-expect-error a picture is bytes
album.send("photo.jpg");
// @ts-expect-error a message has no receipt
me.on("message", ({ receipt }) => receipt);
