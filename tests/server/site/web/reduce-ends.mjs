// Tables of events for the end of a chat and of a link: what is kept, what is told, and what a stray key does not do.
import { adult, chat, cut, hello, home, matched, play, same, says, waiting, yes } from "./reduce.mjs";

const base = document.querySelector("meta[name=base]").content;
const { bannerOf } = await import(`${base}parts/banner.js`);
const { first } = await import(`${base}reduce/state.js`);

const left = { type: "left", by: "stranger" };
const noSession = { type: "error", code: "no_session", of: "resume" };
const doing = (run, what) => run.effects.filter((effect) => effect.do === what);
const after = (run, ms) => Object.assign(run, { now: run.now + ms - 1000 }); // the next event comes that much later

export const cases = {
  "a key that belongs to a sentence starts no search when the stranger leaves": () => {
    const run = chat().then(left);
    same([run.state.phase, after(run, 300).then(["meet", { key: true }]).state.phase], ["ended", "ended"]);
    same(after(run, 100).then(["ended.typed"], ["count.stop"]).state.phase, "ended");
    same(after(run, 100).then(["meet", { key: true }]).state.phase, "waiting");
    const typing = chat().then(left);
    after(typing, 2000).then(["ended.typed"]);
    same(after(typing, 300).then(["meet", { key: true }]).state.phase, "ended");
    same(after(typing, 10).then(["meet", { key: false }]).state.phase, "waiting"); // a finger or a mouse is meant
  },
  "who left by oneself goes on with the next key": () => {
    const run = chat().then(["leave"], ["leave"]);
    same([run.state.ended.cause, after(run, 50).then(["meet", { key: true }]).state.phase], ["me", "waiting"]);
  },
  "writing on stops the countdown to the next search": () => {
    const run = chat();
    run.state = { ...run.state, prefs: { ...run.state.prefs, auto: true } };
    run.then(left);
    same([run.state.ended.count, run.then(["ended.typed"]).state.ended.count], [5, null]);
  },
  "the last chat can be gone back to while one waits, as it stood, and the search stops first": () => {
    const run = chat().then({ type: "message", seq: 1, text: "hi" }, left, ["meet"]);
    same([run.state.phase, run.state.chat, run.state.last.chat.id], ["waiting", null, "c1"]);
    run.then({ type: "waiting", accepts: "anyone" }, ["back"]);
    same([run.state.phase, run.state.ended.cause, run.state.chat.lines.length, run.frames], ["ended", "stranger", 1, [{ type: "leave" }]]);
    run.then(["report", { reason: "hate" }]);
    same([run.state.ended.reported, run.frames], ["hate", [{ type: "report", reason: "hate" }]]);
    same(run.then(["save"]).frames, [{ type: "save" }]);
  },
  "whom one parted from by looking for the next can be gone back to as well": () => {
    const run = chat().then(["say", { text: "on its way" }]);
    run.state = { ...run.state, video: { ...run.state.video, passed: true } };
    run.then(["next"], ["next"]);
    same([run.state.phase, run.state.last.ended.cause, run.state.last.chat.lines[0].state], ["waiting", "me", "refused"]);
  },
  "home and the next chat keep the last one, until that ends too; a session that is gone leaves nothing to go back to": () => {
    const again = () => chat().then(left, ["meet"]);
    const next = again().then({ ...matched, chat: "c2" });
    same([next.state.last.chat.id, next.then(left).state.last], ["c1", null]);
    same(again().then(["stop"]).state.last.chat.id, "c1");
    same(chat().then(left, ["home"]).state.last.chat.id, "c1");
    same(again().then(cut, ["open"], hello, noSession).state.last, null);
  },
  "a search that began as the last chat ended goes on where the host of that chat is gone": () => {
    const gone = [{ type: "error", code: "restart", retry_after: 0.1 }, ["closed", { code: 1012 }], ["open"], hello, noSession];
    const types = (run) => run.frames.map((frame) => frame.type);
    same(types(chat().then(left, ["meet"], ...gone)), ["find", "resume", "find"]);
    same(types(chat().then(left, ["meet"], { type: "waiting", accepts: "good" }, ...gone)), ["find", "resume", "find"]);
    const parted = chat();
    parted.state = { ...parted.state, video: { ...parted.state.video, passed: true } };
    same(types(parted.then(["next"], ["next"], ...gone)), ["find", "resume", "find"]);
    same(types(chat().then(left, ...gone)), ["resume"]);
  },
  "a match that crossed with going back is the server's last chat, so the one on the screen is neither saved nor reported": () => {
    const run = chat().then(left, ["meet"], ["back"], { ...matched, chat: "c2" });
    same([run.state.phase, run.state.chat.id, run.state.ended.unknown], ["ended", "c1", true]);
  },
  "a line without an answer makes the page ask whether it is heard, before four seconds are over": () => {
    const run = chat().then(says("hello"));
    same([doing(after(run, 2000).then(["timer.late"]), "ask").length, run.state.chat.lines[0].late], [0, true]);
    same(doing(after(run, 1500).then(["timer.late"]), "ask").length, 1);
    run.then({ type: "sent", id: run.state.chat.lines[0].key, seq: 1 });
    same(doing(run.then(["timer.late"]), "timer").length, 0);
  },
  "a line that was sent again is given its time again": () => {
    const run = chat().then(says("hello"), cut);
    after(run, 9000).then(["open"], hello, { type: "resumed", chat: "c1", seq: 0, taken: 0, missed: 0 });
    same(doing(run.then(["timer.late"]), "ask").length, 0);
  },
  "while a chat waits the tries come soon, and the seconds that it has are told at every one": () => {
    const run = chat().then(cut);
    same(doing(run, "connect")[0].soon, true);
    for (let attempt = 0; attempt < 6; attempt += 1) run.then(["connecting"], cut);
    yes(run.state.link.attempt >= 5);
    const banner = bannerOf(run.state);
    same([banner.seconds > 0, banner.act[0], banner.text.startsWith("Reconnecting")], [true, "connect", true]);
    same(doing(waiting().then(cut), "connect")[0].soon, false);
  },
  "when the partner can wait no more, the tries come as seldom as those of all": () => {
    const run = chat().then(cut);
    const soon = () => doing(run.then(["connecting"], cut), "connect")[0].soon;
    after(run, 20_000);
    same(soon(), true);
    after(run, 20_000);
    same(soon(), false);
  },
  "who was back in time is not told to have been too late": () => {
    const run = chat().then(cut);
    after(run, 6000).then(["open"], hello, noSession);
    same([run.state.ended.cause, run.state.ended.unknown], ["restart", true]);
  },
  "a chat that the server knows no more is not offered to be saved, and a report of it is told to be lost": () => {
    const run = chat().then(says("hello"), ["sheet", { is: "report" }], cut, ["open"], hello, noSession);
    same([run.state.ended.unknown, run.state.sheet, run.state.notice], [true, null, "undelivered"]);
    const later = chat().then(left, cut, ["open"], hello, noSession);
    same([later.state.phase, later.state.ended.unknown], ["ended", true]);
  },
  "a call begins with the focus on what shows it, in the first and in every other": () => {
    const run = chat().then(left, ["meet"]).then({ ...matched, chat: "c2", ice: [] });
    same(run.effects.find((effect) => effect.do === "focus").on, "#show");
  },
  "what the server offers is asked again where it could not be asked": () => {
    const run = play(first({ ...adult, config: { modes: ["text"], age: "off", missing: true } }), ["open"], hello);
    same(doing(run, "config").length, 1);
    run.then(["config", { config: { modes: ["text"], age: "off", video: true } }], cut, ["open"], hello, { type: "resumed", chat: null });
    same([run.state.config.video, doing(run, "config").length], [true, 0]);
  },
  "who is here is counted anew before anybody is told to be alone": () => {
    const run = waiting().then({ type: "waiting", accepts: "anyone" }, ["timer.quiet"]);
    same([run.state.me.online, doing(run, "status").length], [null, 1]);
    run.then(["status", { status: { online: 1 } }]);
    same([run.state.me.online, doing(run.then(["timer.count"]), "status").length], [1, 1]);
    same(doing(run.then(["stop"], ["timer.count"]), "timer").length, 0);
    same(doing(home().then(["visible", { on: true }]), "status").length, 1);
  },
};
