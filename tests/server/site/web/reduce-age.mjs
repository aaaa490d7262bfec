// Test a statement of age below 18: the chat is held, the writer is asked, and the server gets the answer.
import { chat, cut, hello, home, matched, same, waiting, yes } from "./reduce.mjs";

const frame = (parameters = { age: 14 }) => ({ type: "challenge", kind: "age", parameters, within: 86400 });
const refused = { type: "error", code: "challenge", of: "find", message: "m" };
const left = { type: "left", by: "moderation" };
const solved = { type: "solved", kind: "age" };
const closing = { type: "error", code: "banned", message: "m", until: 1e9 + 86400, rule: "R1", reason: "r", network: false, day: "2026-11-26", by: "machine", measure: "age" };
const answer = (adult) => ["claimed.answer", { adult }];
const asked = () => chat().then({ type: "message", seq: 1, text: "how old are you?" }, frame(), left);
const held = (...frames) => home().then(["start", { mode: "text" }], ...frames);
const types = (run) => run.frames.map(({ type }) => type);

export const cases = {
  "in a chat it is held: no line is sent until the server has heard the answer": () => {
    const run = chat().then({ type: "message", seq: 1, text: "how old are you?" }, frame(), ["say", { text: "hello" }], ["typing", { on: true }]);
    same([run.state.phase, run.state.sheet, run.state.chat.claimed, run.frames], ["chat", { is: "claimed", age: 14 }, true, []]);
    run.then(["claimed.shut"]);
    same(run.state.sheet.is, "claimed", "it needs an answer");
    run.then(answer(true));
    same([run.state.sheet, run.frames], [null, [{ type: "solution", kind: "age", response: "adult" }]]);
    run.then(["say", { text: "too soon" }]);
    same(run.frames, []);
    run.then(solved, ["say", { text: "fine" }]);
    same([types(run), run.state.chat.claimed], [["message"], false]);
  },
  "under 18 in a held chat: the chat is gone": () => {
    const run = chat().then(frame(), answer(false));
    same(run.frames, [{ type: "solution", kind: "age", response: "minor" }]);
    same([run.state.phase, run.state.prefs.adult], ["minor", false]);
  },
  "the partner waits, and is told when the chat goes on": () => {
    const run = chat().then({ type: "partner", state: "asked", within: 120 }, ["say", { text: "hello" }]);
    same([run.state.chat.waits, run.frames], [true, []]);
    run.then({ type: "partner", state: "back" }, ["say", { text: "hello" }]);
    same([run.state.chat.waits, types(run)], [false, ["message"]]);
    same(chat().then({ type: "partner", state: "asked", within: 120 }, left).state.chat.waits, false);
  },
  "a chat that ends before the answer is over, and the question is asked with what was written": () => {
    const run = asked();
    same([run.state.phase, run.state.ended.cause, run.state.sheet], ["ended", "age", { is: "claimed", age: 14 }]);
    same(run.frames, []);
    yes(!run.effects.some(({ do: op }) => op === "focus"), "the dialog has the focus");
  },
  "after a hint the chat goes on, the question can be closed, and an answer is sent": () => {
    const run = chat().then(frame({ hint: true }));
    same([run.state.phase, run.state.sheet, run.state.chat.claimed], ["chat", { is: "claimed", hint: true }, false]);
    run.then(["claimed.shut"], ["say", { text: "hello" }]);
    same([run.state.sheet, types(run)], [null, ["message"]]);
    const ended = chat().then(frame({ hint: true }), { type: "left", by: "stranger" });
    same([ended.state.phase, ended.state.ended.cause, ended.state.sheet], ["ended", "stranger", null]);
    const answered = chat().then(frame({ hint: true }), answer(true), solved, ["say", { text: "fine" }]);
    same([types(answered), answered.state.phase], [["solution", "message"], "chat"]);
    same(chat().then(["sheet", { is: "report" }], frame({ hint: true })).state.sheet.is, "report", "another dialog stays");
  },
  "without a number it is asked without one": () => {
    same(chat().then(frame({}), left).state.sheet, { is: "claimed", age: 0 });
    same(chat().then(frame({ age: "<b>" }), left).state.sheet.age, 0);
  },
  "18 or over: the server hears it, and one can go on": () => {
    const run = asked().then(answer(true));
    same(run.frames, [{ type: "solution", kind: "age", response: "adult" }]);
    same([run.state.phase, run.state.sheet], ["ended", null]);
    run.then(solved, ["meet"]);
    same([types(run), run.state.phase], [["find"], "waiting"]);
  },
  "under 18: the server hears it, this browser keeps it, and the screen says so": () => {
    const run = asked().then(answer(false));
    same(run.frames, [{ type: "solution", kind: "age", response: "minor" }]);
    same([run.state.phase, run.state.sheet, run.state.prefs.adult, run.state.prefs.tags], ["minor", null, false, []]);
    yes(run.state.prefs.minor > 0, "for a day");
    same(run.effects.filter(({ do: op }) => op === "forget"), [{ do: "forget", minor: true }]);
    run.then(closing, ["closed", { code: 4003 }]);
    same([run.state.phase, run.state.link.is, run.state.refused.appeal], ["minor", "stopped", undefined]);
  },
  "whoever shuts it is asked again before the next search": () => {
    const run = asked().then(["claimed.shut"]);
    same([run.state.phase, run.state.sheet, run.frames], ["ended", null, []]);
    run.then(["meet"], frame(), refused);
    same([run.state.phase, run.state.sheet], ["waiting", { is: "claimed", age: 14 }]);
    run.then(["claimed.shut"]);
    same([run.state.phase, types(run)], ["home", ["leave"]]);
  },
  "a search that was refused goes on when the answer was heard": () => {
    const run = held(frame(), refused).then(answer(true));
    same([types(run), run.state.phase], [["solution"], "waiting"]);
    run.then(solved);
    same(types(run), ["find"]);
    same(run.then(matched).state.phase, "chat");
  },
  "an answer while the link is away goes out when it is back": () => {
    const run = held(frame(), refused).then(cut, answer(true));
    same(run.frames, []);
    run.then(["open"], hello, { type: "resumed", chat: null, seq: 0, taken: 0, missed: 0 });
    same(types(run), ["resume", "solution", "find"]);
  },
  "an answer that nobody asked for is none": () => {
    same(home().then(answer(true)).frames, []);
    same(home().then(frame()).state.sheet, null);
  },
  "the other side reads why the chat is over": () => {
    const run = chat().then({ type: "message", seq: 1, text: "im 14" }, { type: "tip", kind: "minor", seq: 1 }, left);
    same([run.state.phase, run.state.ended.cause], ["ended", "young"]);
    same(run.state.chat.lines.map(({ text }) => text), ["im 14", "tip.minor"]);
    same(chat().then(left).state.ended.cause, "moderation");
  },
  "who is kept out as a minor sees no ban": () => {
    const run = waiting().then({ ...closing, appeal: "/appeal/x" }, ["closed", { code: 4003 }]);
    same([run.state.phase, run.state.refused.appeal], ["minor", "/appeal/x"]);
    const { measure, ...ban } = closing;
    same(waiting().then(ban, ["closed", { code: 4003 }]).state.phase, "refused");
  },
  "who is refused asks again without a reload, and goes on when the server greets": () => {
    const { measure, ...ban } = closing;
    const run = chat().then(ban, ["closed", { code: 4003 }], ["refused.again"]);
    same([run.state.phase, run.state.link.is, run.state.me.resume], ["refused", "connecting", false]);
    run.then(["open"], { ...ban, rule: "R2" }, ["closed", { code: 4003 }]);
    same([run.state.phase, run.state.link.is, run.state.refused.rule, run.state.refused.still], ["refused", "stopped", "R2", "banned.still"]);
    run.then(["refused.again"], ["closed", { code: 1006 }]);
    same([run.state.phase, run.state.link.is, run.state.refused.still], ["refused", "stopped", "link.failed"]);
    run.then(["refused.again"], ["open"], hello);
    same([run.state.phase, run.state.link.settled, run.state.refused, run.state.chat], ["home", true, null, null]);
  },
};
