// A challenge before the search: the browser works, the search goes on when it is solved, and can be stopped meanwhile.
import { chat, cut, hello, home, same, waiting, yes } from "./reduce.mjs";

const frame = (signature = "s1") => ({ type: "challenge", kind: "altcha", parameters: { parameters: { cost: 1 }, signature }, within: 600 });
const company = (id = "c1", kind = "turnstile") => ({ type: "challenge", kind, parameters: { sitekey: "k", action: "find", id }, within: 600 });
const refused = { type: "error", code: "challenge", of: "find", message: "m" };
const solved = { type: "solved", kind: "altcha" };
const done = ["check.done", { response: "r", of: "s1" }];
const types = (run) => run.frames.map(({ type }) => type);
const works = (run) => run.effects.filter((effect) => effect.do === "challenge").map(({ op }) => op);
const held = (...frames) => home().then(["start", { mode: "text" }], ...frames);

export const cases = {
  "whichever comes first, the dialog opens and the browser works": () => {
    for (const run of [held(refused, frame()), held(frame(), refused)]) {
      same([run.state.phase, run.state.sheet.is], ["waiting", "check"]);
      same(works(run), ["solve"]);
      same(run.effects.filter((effect) => effect.do === "say" && effect.key === "check.text").length, 1);
    }
  },
  "the same one that comes again is being worked on": () => {
    same(works(held(refused, frame()).then(frame(), refused)), []);
    same(works(held(refused, frame()).then(frame("s2"))), ["solve"]);
  },
  "solved, the search goes on": () => {
    const run = held(refused, frame()).then(done);
    same(run.frames, [{ type: "solution", kind: "altcha", response: "r" }]);
    run.then(solved);
    same(types(run), ["find"]);
    same([run.state.phase, run.state.sheet, run.state.check], ["waiting", null, null]);
  },
  "a solution of one that is not asked for any more is not sent": () => {
    same(held(refused, frame("s2")).then(done).frames, []);
  },
  "stopped, the search is over and nothing works on": () => {
    const run = held(refused, frame()).then(["check.stop"]);
    same(types(run), ["leave"]);
    same([run.state.phase, run.state.sheet, run.state.check], ["home", null, null]);
    same(works(run), ["stop"]);
    run.then(done, solved);
    same([run.state.phase, run.frames], ["home", []]);
  },
  "where it fails it is said, and tried anew": () => {
    const run = held(refused, frame()).then(["check.failed"]);
    yes(run.state.check.failed, "failed");
    same(run.state.sheet.is, "check");
    run.then(["check.again"]);
    same(types(run), ["find"]);
    run.then(frame(), refused);
    same(works(run), ["solve"]);
  },
  "a wrong answer is one that failed, and the next challenge is worked on": () => {
    const run = held(refused, frame()).then(done, frame("s2"));
    same(works(run), ["solve"]);
    run.then({ type: "error", code: "too_fast", of: "solution", retry_after: 60, message: "m" });
    yes(run.state.check.failed, "failed");
  },
  "a company's is told of, and begins when they agree": () => {
    const run = held(refused, company());
    same([run.state.check.company, run.state.check.agreed, run.state.check.wrong], ["Cloudflare", false, false]);
    same(works(run), []);
    same(run.effects.filter((effect) => effect.do === "say").map(({ key }) => key), ["check.company"]);
    run.then(company(), ["check.agreed"]);
    yes(run.state.check.agreed, "agreed");
    run.then(["check.done", { response: "r", of: "c1" }]);
    same(run.frames, [{ type: "solution", kind: "turnstile", response: "r" }]);
    run.then({ type: "solved", kind: "turnstile" });
    same(types(run), ["find"]);
  },
  "a company's answer that is wrong is asked for again, and agreed to again": () => {
    const run = held(refused, company()).then(["check.agreed"], ["check.done", { response: "r", of: "c1" }], company("c2"));
    same([run.state.check.wrong, run.state.check.agreed, run.state.check.part], [true, false, 0]);
  },
  "ours in the place of a company's that says nothing is worked on": () => {
    const run = held(refused, company()).then(["check.agreed"], ["check.done", { response: "r", of: "c1" }], frame());
    same(works(run), ["solve"]);
    same([run.state.check.kind, run.state.check.company], ["altcha", undefined]);
  },
  "of a kind that nobody here knows it is said that it does not work": () => {
    const run = held(refused, company("c1", "other"));
    yes(run.state.check.failed, "failed");
    same(works(run), []);
    yes(!held(refused).then(["check.agreed"]).state.check, "nothing to agree to");
  },
  "solved while the link is away goes out when it is back": () => {
    const run = held(refused, frame()).then(cut, done);
    same(run.frames, []);
    run.then(["open"], hello, { type: "resumed", chat: null, seq: 0, taken: 0, missed: 0 });
    same(types(run), ["resume", "solution", "find"]);
  },
  "in a chat nothing is asked": () => {
    const run = chat().then(frame(), refused);
    same([run.state.phase, run.state.sheet], ["chat", null]);
    same(waiting().then(solved).state.phase, "waiting");
  },
};
