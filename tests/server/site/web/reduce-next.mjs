// Tables of events for the way to the next stranger, and for what goes along: the last chat, a draft, one's own lines.
import { adult, chat, cut, hello, home, matched, play, same, says, waiting, yes } from "./reduce.mjs";

const base = document.querySelector("meta[name=base]").content;
const { first } = await import(`${base}reduce/state.js`);

const left = { type: "left", by: "stranger" };
const second = { ...matched, chat: "c2" };
const onward = () => chat().then({ type: "message", seq: 1, text: "hi" }, ["next"], ["next"], second);
const reloaded = (more) =>
  play(
    first({ ...adult, me: { token: "t1", resume: true, fresh: true, online: null, grace: 15 } }),
    ["open"],
    hello,
    { ...matched, type: "resumed", seq: 4, taken: 3, missed: 1, ...more },
  );
const kept = (...lines) => ({ chat: "c1", draft: "and the", tone: 2, lines });

export const cases = {
  "one press goes on, and the chat that is left can be had again in time": () => {
    const run = chat().then({ type: "message", seq: 1, text: "hi" }, ["next"]);
    same([run.state.phase, run.frames.map(({ type, keep }) => [type, keep])], ["waiting", [["find", true]]]);
    same(run.state.behind.token, null);
    same(run.then(["next.back"]).state.phase, "waiting"); // not offered before the server kept the seat
    run.then({ type: "kept", token: "k", within: 3 }, ["next.back"]);
    same([run.state.phase, run.state.chat.id, run.state.chat.lines.length, run.state.me.token], ["chat", "c1", 1, "k"]);
    yes(run.effects.some((effect) => effect.do === "reopen"));
    run.then(["open"]);
    same(run.frames, [{ type: "resume", token: "k", last: 1, chat: "c1" }]);
    run.then(hello, { ...matched, type: "resumed", seq: 2, taken: 0, missed: 1 }, { type: "message", seq: 2, text: "there?" });
    same([run.state.phase, run.state.chat.lines.map(({ text }) => text)], ["chat", ["hi", "there?", "chat.missed"]]);
  },
  "a way back that is taken too late leads to the end of that chat": () => {
    const run = chat().then(["next"], { type: "kept", token: "k", within: 3 });
    same(run.then(["next.back"], ["open"], hello, { type: "error", code: "no_session", of: "resume" }).state.ended.cause, "me");
    same(chat().then(["next"], { type: "kept", token: "k", within: 3 }, ["timer.behind"]).state.behind, null);
  },
  "the second half of a double press skips nobody": () => {
    const run = chat().then(["next"], second);
    run.now -= 1800;
    same(run.then(["next"]).state.chat.id, "c2");
    same(run.then(["next"]).state.phase, "waiting");
  },
  "the end of the time for one way back does not end that for the next": () => {
    const run = onward().then({ type: "kept", token: "k", within: 3 }, ["next"]);
    same(run.effects.filter((effect) => effect.do === "cancel"), [{ do: "cancel", name: "behind" }]);
  },
  "who wants to be asked is asked: the first press asks, the second goes to the next, and one that comes late asks again": () => {
    const asked = () => chat().then(["pref", { name: "sure", value: true }]);
    const run = asked().then(["next"]);
    same([run.state.phase, run.state.armed, run.frames], ["chat", "next", []]);
    same(run.then(["timer.armed"], ["next"]).state.phase, "chat");
    run.then(["next"]);
    same([run.state.phase, run.frames.map(({ type }) => type)], ["waiting", ["find"]]);
  },
  "leave and next do not answer for each other": () => {
    const run = chat().then(["pref", { name: "sure", value: true }], ["leave"], ["next"]);
    same([run.state.phase, run.state.armed], ["chat", "next"]);
    same(run.then(["leave"]).state.armed, "leave");
  },
  "a finger that sweeps twice goes on as a press does": () => {
    const run = chat().then(["pref", { name: "sure", value: true }], ["next", { by: "swipe" }]);
    same([run.state.armed, run.then(["next", { by: "swipe" }]).state.phase], ["swipe", "waiting"]);
  },
  "who does not want to be asked goes at once, and so does who has not looked yet": () => {
    same(chat().then(["next", { sure: true }]).state.phase, "waiting");
    same(chat().then(["next"]).state.phase, "waiting");
  },
  "next does nothing where there is nobody to go on from": () => {
    for (const run of [home(), waiting(), chat().then(left)]) same(run.then(["next"]).frames, []);
  },
  "without a link the search begins as soon as there is one": () => {
    const run = chat().then(cut, ["next"], ["next"]);
    same([run.state.phase, run.frames], ["waiting", []]);
    yes(run.then(["open"], hello, { type: "resumed", chat: "c1", seq: 1, taken: 0, missed: 0 }).frames.some(({ type }) => type === "find"));
  },
  "the one before is reported and saved while the next chat goes on": () => {
    const run = onward().then(["sheet", { is: "report", last: true }], ["report", { reason: "hate" }]);
    same([run.state.phase, run.state.chat.id, run.frames], ["chat", "c2", [{ type: "report", reason: "hate", chat: "c1" }]]);
    same([run.state.last.ended.reported, run.state.notice], ["hate", "reported"]);
    run.then(["sheet", { is: "save", last: true }], ["save"]);
    same(run.frames, [{ type: "save", chat: "c1" }]);
    run.then({ type: "saved", url: "/log/1", delete: "/log/1/d" });
    same([run.state.last.saved.url, run.state.saved, run.state.sheet], ["/log/1", null, { is: "save", last: true }]);
  },
  "a save of the chat at hand names none": () => {
    const run = onward().then(["sheet", { is: "save" }], ["save"]);
    same(run.frames, [{ type: "save" }]);
    same(run.then({ type: "saved", url: "/log/2" }).state.saved.url, "/log/2");
  },
  "after ten minutes the last chat is gone, and not before": () => {
    const run = onward();
    same(run.then(["timer.past"]).state.last.chat.id, "c1");
    run.now += 600_000;
    same(run.then(["timer.past"]).state.last, null);
  },
  "a draft stays with its chat": () => {
    const run = onward().then(["draft", { chat: "c1", text: "I was about" }], ["draft", { chat: "c2", text: "new" }], ["draft", { chat: "x", text: "" }]);
    same([run.state.last.chat.draft, run.state.chat.draft], ["I was about", "new"]);
  },
  "own lines come back where they stood, the draft with them, and nothing is sent by itself": () => {
    const run = reloaded().then({ type: "message", seq: 2, text: "two" }, [
      "remember",
      { kept: kept({ text: "one", seq: 1, ordinal: 1, state: "sent" }, { text: "three", ordinal: 3, state: "sending" }, { text: "four", ordinal: 4, state: "sending" }) },
    ]);
    same(
      run.state.chat.lines.map(({ from, text, state }) => [from, text, state ?? ""].join(":")),
      ["me:one:sent", "them:two:", "me:three:sent", "me:four:refused"],
    );
    same([run.state.chat.draft, run.state.chat.tone, run.frames], ["and the", 2, []]);
    run.then({ type: "message", seq: 4, text: "later" });
    same(run.state.chat.lines.map(({ text }) => text), ["one", "two", "three", "four", "later"]);
  },
  "what is kept of another chat, or in a shape that is not ours, is not put back": () => {
    same(reloaded().then(["remember", { kept: { ...kept(), chat: "other" } }]).state.chat.lines[0].text, "chat.reloaded");
    const run = reloaded().then(["remember", { kept: kept() }]);
    same([run.state.chat.lines, run.then(["remember", { kept: null }]).state.chat.lines], [[], []]);
  },
  "a line that the server refused is not shown as sent": () => {
    const run = reloaded({ refused: [2] }).then(["remember", { kept: kept({ text: "too fast", ordinal: 2, state: "sending" }) }], says("hello"));
    same(run.state.chat.lines.map(({ state }) => state), ["refused", "sending"]);
  },
};
