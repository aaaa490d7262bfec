// Warnings that are read before the next search, and whom not to meet again.
import { adult, chat, cut, hello, home, matched, play, same, waiting, yes } from "./reduce.mjs";

const notice = { type: "notice", id: "n1", kind: "warning", rule: "R4", day: "2026-11-26", by: "person", appeal: "/appeal/x" };
const held = { type: "error", code: "notice", of: "find", message: "m" };
const types = (run) => run.frames.map(({ type }) => type);
const unread = () => home().then(notice, ["start", { mode: "text" }], held);

const tips = (run) => run.state.chat.lines.filter(({ quiet }) => quiet).map(({ text, values }) => [text, values.who]);

export const cases = {
  "behind the notice of an incident is that of a changed statement": () => {
    const run = home();
    const prefs = { ...adult.prefs, statement: 1000 };
    const seen = (privacy) => play({ ...run.state, notice: "incident", prefs, config: { ...run.state.config, privacy } }, ["incident.seen"]).state.notice;
    same([seen(2000), seen(1000)], ["statement", null]);
  },
  "lines that wait for the stranger's first one are kept and sent when they may be": () => {
    const paused = { type: "partner", state: "paused", within: 10 };
    const back = { type: "partner", state: "back" };
    const run = chat().then(paused, ["say", { text: "hello there" }], ["say", { text: "how are you" }]);
    same([run.frames, run.state.chat.lines.map(({ state }) => state)], [[], ["queued", "queued"]]);
    run.then({ type: "message", seq: 1, text: "hi" }, back);
    same(run.frames.map(({ text }) => text), ["hello there", "how are you"]);
    same(run.state.chat.opener, 0);
    const late = chat().then(paused, ["say", { text: "hello" }], ["timer.opener"]);
    same(late.frames.map(({ text }) => text), ["hello"], "the announcement was lost");
    const away = chat().then(paused, ["say", { text: "hello" }], { type: "partner", state: "away", within: 15 }, back);
    same([away.frames, away.state.chat.away], [[], null], "the stranger came back, the pause goes on");
    const ended = chat().then(paused, ["say", { text: "hello" }], { type: "left", by: "stranger" }, ["timer.opener"]);
    same([ended.frames, ended.state.chat.lines[0].state], [[], "refused"]);
    same(chat().then({ type: "partner", state: "newer" }, ["say", { text: "hello" }]).frames.length, 1, "an unknown state is ignored");
  },
  "a tip stands under its line, and is not said aloud": () => {
    const run = chat().then({ type: "message", seq: 1, text: "add me on snap" }, { type: "message", seq: 2, text: "well?" });
    run.then({ type: "tip", kind: "contact", seq: 1 });
    same(run.state.chat.lines.map(({ from }) => from), ["them", "note", "them"]);
    same(tips(run), [["tip.contact", ""]]);
    same([run.frames, run.effects], [[], []]);
  },
  "a tip about the question of a spy stands before all lines": () => {
    const run = chat().then({ type: "message", seq: 1, text: "well?" });
    run.then({ type: "tip", kind: "contact", seq: 0 });
    same(run.state.chat.lines.map(({ from }) => from), ["note", "them"]);
  },
  "help says whom to call, and something where nobody is known": () => {
    const run = chat().then({ type: "message", seq: 1, text: "x" });
    run.then({ type: "tip", kind: "help", seq: 1, numbers: [{ name: "Listeners", call: "116 123" }, { name: "Chat", url: "https://a.example" }] });
    run.then({ type: "tip", kind: "help", seq: 1, numbers: [] });
    same(tips(run).sort(), [["tip.help", "Listeners 116 123, Chat https://a.example"], ["tip.help.bare", ""]]);
  },
  "a tip of a kind that is not known, of another line or without a chat changes nothing": () => {
    const run = chat().then({ type: "message", seq: 1, text: "x" }, { type: "tip", kind: "other", seq: 1 }, { type: "tip", kind: "link", seq: 9 });
    same(tips(run), []);
    same(home().then({ type: "tip", kind: "link", seq: 1 }).state.phase, "home");
  },
  "a warning changes nothing on the screen before the next search": () => {
    same(home().then(notice).state.phase, "home");
    const run = chat().then(notice);
    same(run.state.phase, "chat");
    same(run.frames, []);
  },
  "the search that was refused waits until it is read and goes on then": () => {
    const run = unread();
    same(run.state.phase, "unread");
    yes(run.effects.some((effect) => effect.do === "focus" && effect.on === "h1"), "the title is read");
    run.then(["read"]);
    same(run.frames[0], { type: "seen", id: "n1" });
    same(types(run), ["seen", "find"]);
    same([run.state.phase, run.state.unread], ["waiting", null]);
    run.then(["read"]);
    same(run.frames, []);
  },
  "a second one is shown after the first": () => {
    const run = unread().then(["read"], { ...notice, id: "n2" }, held);
    same([run.state.phase, run.state.unread.id], ["unread", "n2"]);
    run.then(["read"], { type: "waiting", accepts: "anyone" });
    same(run.state.phase, "waiting");
  },
  "an older search is over when a new one is refused": () => {
    const run = waiting().then({ type: "waiting", accepts: "good", widens: 3 }, notice, ["anyone"], held);
    same(types(run), ["find", "leave"]);
    run.then(matched);
    same(run.state.phase, "unread");
  },
  "a chat that came before the refusal goes on": () => {
    same(waiting().then(notice, matched, held).state.phase, "chat");
  },
  "read while the link is away goes out when it is back": () => {
    const run = unread().then(cut, ["read"]);
    same([run.state.phase, run.frames], ["waiting", []]);
    run.then(["open"], hello, { type: "resumed", chat: null, seq: 0, taken: 0, missed: 0 });
    same(types(run), ["resume", "seen", "find"]);
  },
  "a token is kept and goes with each search, the newest sixteen": () => {
    let run = chat().then(["block"], ["block"]);
    same(types(run), ["block"]);
    same(run.state.chat.blocked, "asked");
    run.then({ type: "blocked", token: "t0", until: 5 });
    same(run.state.chat.blocked, "kept");
    yes(run.effects.some((effect) => effect.do === "keep"));
    for (let n = 1; n < 20; n += 1) run.then({ type: "blocked", token: `t${n}`, until: 5 });
    same(run.state.prefs.avoid.length, 16);
    run.then(["leave"], ["leave"], ["meet"]);
    same(run.frames.at(-1).avoid.at(-1), "t19");
    same(run.frames.at(-1).avoid[0], "t4");
  },
  "one for a visit is the first to go": () => {
    const run = chat().then(["block"], { type: "blocked", token: "lasting", until: 5 }, { type: "blocked", token: "visit" });
    same(run.state.prefs.avoid, ["visit", "lasting"]);
    same(run.state.chat.blocked, "visit");
  },
  "the answer marks no chat that came after it": () => {
    const run = chat().then({ type: "blocked", token: "t", until: 5 });
    same(run.state.chat.blocked, undefined);
    same(run.state.prefs.avoid, ["t"]);
  },
  "forgetting everything forgets them": () => {
    const run = chat().then(["block"], { type: "blocked", token: "t", until: 5 }, ["leave"], ["leave"], ["home"], ["forget"]);
    same(run.state.prefs.avoid, []);
  },
  "a search without any says nothing of it": () => {
    yes(!("avoid" in waiting().frames[0]));
  },
  "whom to call stands where somebody may get hurt": () => {
    const run = chat().then(["report", { reason: "danger", note: "" }], { type: "reported", receipt: "/report/x", kept: 120, help: [{ name: "n", call: "112" }] });
    same(run.state.ended.help, [{ name: "n", call: "112" }]);
    same(run.state.ended.receipt, "/report/x");
  },
};
