// Tables of events for pictures that are checked: who is told, what is answered, the veil, a call that is ended, a search that is refused.
import { adult, cut, hello, matched, play, same, yes } from "./reduce.mjs";

const base = document.querySelector("meta[name=base]").content;
const { first } = await import(`${base}reduce/state.js`);

const config = { modes: ["text", "video"], age: "ask", video: true, relay: true, pictures: true };
const both = { camera: true, microphone: true, blurs: ["none", "all"] };
const video = { ...matched, offer: true, ice: [] };
const nonce = "abcdefghijklmnopqrstu_";
const snap = { type: "snap", nonce, tiles: 3, gap: 250, mine: true, within: 8 };
const on = { type: "veil", on: true, why: "nudity" };
const off = { type: "veil", on: false, why: "nudity" };
const unchecked = { type: "veil", on: true, why: "unchecked" };
const none = (why) => ({ type: "nosnap", nonce, why });
const told = (camera, microphone) => ({ type: "signal", media: { camera, microphone } });
const begun = (prefs, more = config) => play(first({ prefs: { ...adult.prefs, ...prefs }, config: more }), ["open"], hello);
const ready = (prefs, more) => begun(prefs, more).then(["start", { mode: "video" }], ["media.got", both]);
const waiting = (prefs, more) => ready(prefs, more).then(["ready.go"]);
const met = () => waiting().then(video, ["call.live"]);
const lifted = { type: "signal", media: { curtain: false } };
const called = () => met().then(["show"], lifted);
const media = (run) => run.effects.filter((effect) => effect.do === "media").map(({ op }) => op);
const taken = (run) => run.effects.filter(({ op }) => op === "snap").map(({ theirs, mine, said }) => [theirs, mine, said]);
const reported = (run = called()) => run.then(["sheet", { is: "report" }], ["report", { reason: "nudity" }]);
const veiled = ({ state: { video: { blurred, veil } } }) => [blurred, veil];

export const cases = {
  "a search by video says that this page answers, where the person was told": () => {
    same(ready().frames, []);
    const find = { type: "find", mode: "video", language: "en" };
    same(ready().then(["ready.go"]).frames, [{ ...find, snaps: true }]);
    same(ready({ hide: true }).then(["ready.go"]).frames, [{ ...find, relay: true, snaps: true }]);
    same(ready({}, { ...config, pictures: undefined }).then(["ready.go"]).frames, [find]);
    same(begun().then(["start", { mode: "text" }]).frames, [{ ...find, mode: "text" }]);
    same(called().then(["next"]).frames.at(-1), { ...find, snaps: true, keep: true });
  },
  "who was told of nothing is told before the next search by video": () => {
    const run = waiting({}, { ...config, pictures: false }).then(video, ["config", { config }], ["next"]);
    same([run.state.phase, run.frames, run.state.behind], ["ready", [], null]);
    same(run.then(["media.got", both], ["ready.go"]).frames.map(({ type, snaps }) => [type, snaps]), [["find", true]]);
  },
  "the server wants pictures that this page knew nothing of: they are told, and decide": () => {
    const run = waiting({}, { ...config, pictures: false }).then({ type: "error", code: "snaps", of: "find" });
    same([run.state.phase, run.state.config.pictures, run.state.sheet], ["ready", true, null]);
    same(run.then(["media.got", both], ["ready.go"]).frames.map(({ type, snaps }) => [type, snaps]), [["find", true]]);
  },
  "refused for a while: a dialog says how long, the camera goes off, and text is one press away": () => {
    const run = waiting().then({ type: "error", code: "snaps", of: "find", retry_after: 600 });
    same([run.state.phase, run.state.find, run.state.sheet.is, run.state.sheet.until], ["home", null, "novideo", run.now + 600_000]);
    same(run.frames, [{ type: "leave" }]);
    yes(media(run).includes("stop"));
    same(run.then(["snaps.text"]).frames, [{ type: "find", mode: "text", language: "en" }]);
    same([run.state.phase, run.state.sheet], ["waiting", null]);
    same(waiting().then({ type: "error", code: "snaps", of: "find" }).state.sheet, { is: "novideo", until: null });
  },
  "a student who writes instead is a student still": () => {
    const run = begun().then(["college.kept", { college: { domain: "uio.no", proof: "p", expires: 9e9, want: "same" } }]);
    run.then(["college.start", { mode: "video" }], ["media.got", both], ["ready.go"], { type: "error", code: "snaps", of: "find", retry_after: 9 }, ["snaps.text"]);
    same(run.frames.at(-1), { type: "find", mode: "text", language: "en", college: "same", proof: "p" });
  },
  "a refusal that comes late, into a chat or at home, changes nothing": () => {
    const run = called();
    const before = run.state;
    run.then({ type: "error", code: "snaps", of: "find", retry_after: 9 }, ["snaps.text"]);
    same([run.state.chat, run.state.sheet, run.frames], [before.chat, null, []]);
  },
  "both cameras are on: both are taken and nothing is said": () => {
    const run = called().then(snap);
    same([taken(run), run.frames], [[[true, true, false]], []]);
    same(taken(called().then({ ...snap, mine: false })), [[true, false, false]]);
  },
  "of a camera that is off it is said, and the other is taken": () => {
    const off = called().then(["toggle", { kind: "camera" }], ["media.got", { ...both, camera: false }], snap);
    same([taken(off), off.frames.at(-1)], [[[true, false, true]], none("camera")]);
    same([taken(off.then({ ...snap, mine: false })), off.frames], [[[true, false, false]], []]);
    const theirs = called().then(told(false, true), snap);
    same([taken(theirs), theirs.frames], [[[false, true, true]], [none("camera")]]);
    const neither = theirs.then(["toggle", { kind: "camera" }], snap);
    same([taken(neither), neither.frames.at(-1)], [[], none("camera")]);
  },
  "an own camera that is asked for and not here yet is waited for": () => {
    const run = called().then(["choose", { kind: "camera", id: "b" }], snap);
    same([taken(run), run.frames.filter(({ type }) => type === "nosnap")], [[[true, true, false]], []]);
  },
  "what could not be taken is told, unless the link or the call is away": () => {
    same(called().then(["snap.not", { nonce, why: "early" }]).frames, [none("early")]);
    same(called().then(cut, ["snap.not", { nonce, why: "hidden" }]).frames, []);
    same(called().then({ type: "left", by: "stranger" }, ["snap.not", { nonce, why: "early" }]).frames, []);
  },
  "behind a curtain there is no picture of either, and it is said": () => {
    for (const run of [met().then(snap), met().then(lifted, snap), met().then(["show"], snap), called().then(["blur"], snap)])
      same([taken(run), run.frames.at(-1)], [[], none("camera")]);
  },
  "outside of a call, and by a name that is none, nothing is taken": () => {
    for (const run of [begun().then(snap), waiting().then(snap), called().then({ type: "left", by: "stranger" }, snap), called().then(unchecked, snap)])
      same([taken(run), run.frames.filter(({ type }) => type === "nosnap")], [[], []]);
    for (const name of ["", "short", "../../../../api/forget", `${nonce}a`, 7, null, undefined]) {
      const run = called().then({ ...snap, nonce: name });
      same([media(run), run.frames], [[], []]);
    }
  },
  "what is asked for has bounds, whoever asks": () => {
    const how = (more) => {
      const { tiles, gap, within } = called().then({ ...snap, ...more }).effects.find(({ op }) => op === "snap");
      return [tiles, gap, within];
    };
    same(how({}), [3, 250, 8]);
    same(how({ tiles: 1e9, gap: 1e9, within: 1e9 }), [6, 2000, 30]);
    same(how({ tiles: -1, gap: "x", within: null }), [1, 50, 1]);
  },
  "a veil blurs whatever the person chose, is said once, and is theirs to lift until the next": () => {
    const run = called();
    same(veiled(run), [false, false]);
    run.then(on);
    same([veiled(run), run.effects], [[false, true], [{ do: "alarm", key: "call.nudity" }]]);
    same(run.then(on).effects, []);
    same(veiled(run.then(["show"])), [false, false]);
    same(veiled(run.then(on)), [false, true]);
    same(veiled(run.then(off)), [false, false]);
  },
  "a veil that is taken away leaves what was blurred by hand": () => {
    same(veiled(met().then(on, off)), [true, false]); // not looked yet
    same(veiled(called().then(on, ["blur"], off)), [true, false]);
    same(veiled(called().then(["blur"], on, ["show"])), [false, false]);
  },
  "a veil is seen before the messages, which it leaves as they are": () => {
    const run = called().then(["messages", { open: true }], on);
    same([veiled(run), run.state.video.open], [[false, true], false]);
    same(run.then(["messages", { open: true }], off).state.video.open, true);
  },
  "a veil is of its call alone": () => {
    same(veiled(called().then(on, ["next"], { ...video, chat: "c2" })), [true, false]);
    same(veiled(begun().then(on)), [true, false]);
    const back = called().then(["next"], { type: "kept", token: "k", within: 3 }, { ...video, chat: "c2" }, on, ["next.back"], ["open"], hello);
    same(veiled(back.then({ ...video, type: "resumed", seq: 0, taken: 0, missed: 0 })), [true, false]);
    same(veiled(called().then({ type: "veil", on: true, why: "else" }, { type: "veil", on: false, why: "unchecked" })), [false, false]);
  },
  "pictures that could not be checked end the call and not the chat": () => {
    const run = called().then(["say", { text: "hi" }], ["sheet", { is: "call" }], unchecked);
    const { phase, chat, sheet, video: { local } } = run.state;
    same([phase, chat.call, chat.hung, sheet, local], ["chat", null, true, null, 0]);
    same(chat.lines.map(({ from, text }) => [from, text]), [["me", "hi"], ["note", "call.unchecked"]]);
    same(media(run).filter((op) => op !== "call"), ["hang", "stop"]);
    same([media(run.then(told(true, true), { type: "signal", description: {} }, ["call.live"], unchecked)), run.state.chat.lines.length], [[], 2]);
    same(run.then(["say", { text: "still here" }]).frames, [{ type: "message", text: "still here", id: "m3" }]);
    run.then(["next"]);
    same([run.frames.at(-1).mode, media(run)], ["video", ["ask"]]);
  },
  "a report that is being written stays open when the call ends": () => {
    same(called().then(["sheet", { is: "report" }], unchecked).state.sheet, { is: "report" });
  },
  "who reports in a call is shown its end at once, gives nothing more, and leaves when pictures were taken": () => {
    const run = reported();
    same([run.state.phase, run.state.ended.cause, run.state.ended.reported, run.state.sheet], ["ended", "reported", "nudity", null]);
    same([run.frames, media(run)], [[{ type: "report", reason: "nudity" }], ["stop"]]);
    run.then(snap);
    same([taken(run), run.frames], [[[true, false, true]], [none("camera")]]);
    same(run.effects.at(-1), { do: "timer", name: "looked", ms: 3000 });
    same([run.then(["snap.done"]).frames, media(run)], [[{ type: "leave" }], ["hang"]]);
    same([run.then(["timer.looked"], ["snap.done"], snap).frames, run.effects], [[], []]);
  },
  "nothing that they write after the report is shown": () => {
    const run = reported().then({ type: "message", seq: 1, text: "you will be sorry" }, snap, { type: "veil", on: true, why: "nudity" });
    same([run.state.chat.lines, run.state.video.veil], [[], false]);
  },
  "pictures that nobody asks for after a report are not waited for": () => {
    const run = reported();
    yes(run.effects.some(({ name, ms }) => name === "looked" && ms === 1500));
    same([run.then(["timer.looked"]).frames, media(run)], [[{ type: "leave" }], ["hang"]]);
  },
  "what comes before they are taken ends it: a search, home, a link that is lost": () => {
    const next = reported().then(["meet"]);
    same([next.frames.map(({ type }) => type), media(next)], [["find"], ["hang", "ask"]]);
    same([next.then(["timer.looked"]).frames, next.state.last.ended.cause], [[], "reported"]);
    same([reported().then(["home"]).frames, media(reported().then(["home"]))], [[{ type: "leave" }], ["hang"]]);
    const lost = reported().then(cut);
    same([lost.frames, lost.state.owed, media(lost)], [[], [{ type: "leave" }], ["hang"]]);
  },
  "a report leaves at once where nothing is checked, and where the call is over": () => {
    for (const run of [waiting({}, { ...config, pictures: false }).then(video, ["call.live"]), called().then(unchecked)])
      same(reported(run).frames, [{ type: "report", reason: "nudity" }, { type: "leave" }]);
  },
  "after a reload a veil is still there, and a call that was ended is not begun again": () => {
    const me = { token: "t1", resume: true, fresh: true, online: null, grace: 15 };
    const reloaded = () =>
      play(first({ prefs: adult.prefs, config, me }), ["open"], hello, { ...video, type: "resumed", seq: 0, taken: 0, missed: 0 });
    const shows = { camera: true, microphone: true, blur: "none", veil: true };
    const run = reloaded().then(["remember", { kept: { chat: "c1", lines: [], shows } }]);
    same([veiled(run), media(run), run.state.video.told], [[true, true], ["call"], true]);
    same(veiled(reloaded().then(["remember", { kept: { chat: "c1", lines: [], shows: { ...shows, veil: "yes" } } }])), [true, false]);
    const over = reloaded().then(["remember", { kept: { chat: "c1", lines: [], hung: true } }]);
    same([media(over), over.state.chat.call, over.state.chat.lines.map(({ text }) => text)], [[], null, ["call.unchecked"]]);
  },
};
