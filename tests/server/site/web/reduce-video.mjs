// Tables of events for calls: what the other is told and tells, what stays off, students by video.
import { adult, cut, hello, matched, play, same, yes } from "./reduce.mjs";

const base = document.querySelector("meta[name=base]").content;
const { first } = await import(`${base}reduce/state.js`);
const { isHushed, isShown, sent } = await import(`${base}reduce/video.js`);

const config = { modes: ["text", "video"], age: "ask", video: true, relay: true };
const both = { camera: true, microphone: true, blurs: ["none", "all"] };
const video = { ...matched, offer: true, ice: [] };
const begun = (prefs) => play(first({ prefs: { ...adult.prefs, ...prefs }, config }), ["open"], hello);
const called = () => begun().then(["start", { mode: "video" }], ["media.got", both], ["ready.go"], video, ["call.live"]);
const reloaded = () =>
  play(
    first({ ...adult, config, me: { token: "t1", resume: true, fresh: true, online: null, grace: 15 } }),
    ["open"],
    hello,
    { ...video, type: "resumed", seq: 0, taken: 0, missed: 0 },
  );
const told = (camera, microphone) => ({ type: "signal", media: { camera, microphone } });
const mine = (camera, microphone, curtain = true) => ({ type: "signal", media: { camera, microphone, curtain } });
const theirs = (curtain) => ({ type: "signal", media: { curtain } });
const media = (run) => run.effects.filter((effect) => effect.do === "media").map(({ op }) => op);
const said = (run) => run.effects.filter((effect) => effect.do === "say" || effect.do === "unsay").map((effect) => `${effect.do} ${effect.key}`);

export const cases = {
  "each change of mine is told once": () => {
    same(called().then(["toggle", { kind: "camera" }]).frames, [mine(false, true)]);
    same(called().then(["toggle", { kind: "microphone" }], ["toggle", { kind: "microphone" }]).frames, [mine(true, false), mine(true, true)]);
    same(called().then(["toggle", { kind: "camera" }], ["media.got", { ...both, camera: false }]).frames, [mine(false, true)]);
  },
  "it is told anew to who was away, and when I was": () => {
    const run = called().then(["toggle", { kind: "camera" }], { type: "partner", state: "away", within: 15 });
    same(run.then({ type: "partner", state: "back" }).frames, [mine(false, true)]);
    run.then(cut, ["open"], hello, { ...video, type: "resumed", seq: 0, taken: 0, missed: 0 });
    same(run.frames.filter(({ type }) => type === "signal"), [mine(false, true)]);
  },
  "of what they tell a yes and a no count, and what changed is said once": () => {
    const run = called().then(told(false, true));
    same([run.state.video.theirs, said(run)], [{ camera: false, microphone: true, curtain: null }, ["say call.camera.off"]]);
    same(said(run.then(told(false, true))), []);
    same(said(run.then(told(false, false))), ["say call.off"]);
    run.then({ type: "signal", media: { camera: "yes", microphone: 1, face: true } }, { type: "signal", media: true });
    same([run.state.video.theirs, said(run)], [{ camera: false, microphone: false, curtain: null }, []]);
    same(said(run.then({ type: "signal", media: { camera: true } })), ["say call.muted"]);
    same(said(run.then(told(true, true))), ["unsay call.muted"]);
  },
  "a camera is sent and shown when both curtains are lifted, and no longer when either is drawn": () => {
    const run = called();
    same([run.frames.at(-1), isShown(run.state.video)], [mine(true, true), false]);
    same([run.then(["show"]).frames, media(run), said(run), isShown(run.state.video)], [[mine(true, true, false)], [], ["say curtain.waiting"], false]);
    same([run.then(theirs(false)).frames, media(run), said(run), isShown(run.state.video)], [[], ["hold"], ["say curtain.both"], true]);
    same([media(run.then(theirs(true))), said(run), isShown(run.state.video)], [["hold"], ["say curtain.again"], false]);
    run.then(theirs(false), ["blur"]);
    same([run.frames, media(run), isShown(run.state.video)], [[mine(true, true)], ["hold", "hold"], false]);
  },
  "a client that knows no curtain is seen when its frames arrive and mine is lifted": () => {
    const run = called().then(["show"], ["call.framed"]);
    same(isShown(run.state.video), true);
    same(isShown(called().then(["call.framed"]).state.video), false);
    same(isShown(called().then(["show"], theirs(true), ["call.framed"]).state.video), false);
  },
  "who begins with text is neither heard nor hears before the curtain is lifted": () => {
    const run = begun({ hush: true }).then(["start", { mode: "video" }], ["media.got", both], ["ready.go"], video, ["call.live"]);
    same([run.frames.at(-1), sent(run.state), isHushed(run.state)], [mine(true, false), { camera: false, microphone: false }, true]);
    same([run.then(["show"]).frames, media(run), isHushed(run.state)], [[mine(true, true, false)], ["hold"], false]);
    same(sent(run.then(["blur"]).state), { camera: false, microphone: true });
  },
  "in a held chat nothing is sent or shown, and the call goes on after the answer": () => {
    const solved = { type: "solved", kind: "age" };
    for (const [asked, over] of [
      [{ type: "challenge", kind: "age", parameters: { age: 14 }, within: 120 }, solved],
      [{ type: "partner", state: "asked", within: 120 }, { type: "partner", state: "back" }],
    ]) {
      const run = called().then(asked);
      same(media(run), ["hold"]);
      same([media(run.then(over)), run.frames], [["hold", "mend"], [mine(true, true)]]);
    }
    same(media(called().then({ type: "challenge", kind: "age", parameters: { hint: true }, within: 120 })), [], "after a hint it goes on");
  },
  "what is not there is off, and the next press asks for it": () => {
    const run = called().then(["media.gone", { kind: "video" }]);
    same([run.state.video.on.camera, run.frames], [false, [mine(false, true)]]);
    same(run.then(["toggle", { kind: "camera" }]).state.video.on.camera, true);
    same(run.then(["media.failed", { why: "none", camera: false, microphone: true }]).state.video.on, { camera: false, microphone: true });
  },
  "a press that comes before the camera is here turns it off again": () => {
    const run = called().then(["toggle", { kind: "camera" }], ["media.got", { ...both, camera: false }], ["toggle", { kind: "camera" }]);
    same(run.then(["toggle", { kind: "camera" }]).state.video.on.camera, false);
  },
  "after a reload the call begins when it is known what was off": () => {
    const run = reloaded();
    same(media(run), []);
    const shows = { camera: false, microphone: true, blur: "all" };
    run.then(["remember", { kept: { chat: "c1", lines: [], shows } }]);
    same([media(run), run.state.video.on, run.state.video.ownBlur], [["call"], { camera: false, microphone: true }, "all"]);
  },
  "a curtain that was drawn again before a reload stays silent, and one that was up begins anew": () => {
    for (const drawn of [true, false]) {
      const shows = { camera: true, microphone: true, blur: "none", drawn };
      const { video } = reloaded().then(["remember", { kept: { chat: "c1", lines: [], shows } }]).state;
      same([video.blurred, video.looked], [true, drawn]);
    }
  },
  "a shape of it that is not ours changes nothing": () => {
    for (const shows of [undefined, {}, { camera: 1, microphone: "no", blur: "face" }]) {
      const run = reloaded().then(["remember", { kept: { chat: "c1", lines: [], shows } }]);
      same([media(run), run.state.video.on, run.state.video.ownBlur], [["call"], { camera: true, microphone: true }, "none"]);
    }
    same(media(reloaded().then(["remember", { kept: null }])), ["call"]);
  },
  "what is chosen for the own picture is so in each call, and a very weak one is said": () => {
    const run = called().then(["own.blur", { how: "all" }]);
    same([media(run), run.frames], [["blur"], []]);
    same(run.then(["next"], { ...video, chat: "c2" }).state.video.ownBlur, "all");
    same(said(run.then(["call.quality", { level: "weak" }], ["call.quality", { level: "bad" }])), ["say call.quality.bad"]);
  },
  "students meet by video too, with a hidden address as long as it is to be hidden": () => {
    const run = begun({ hide: true }).then(["college.kept", { college: { domain: "uio.no", proof: "p", expires: 9e9, want: "same" } }]);
    run.then(["college.start", { mode: "video" }], ["media.got", both], ["ready.go"]);
    const find = { type: "find", mode: "video", language: "en", college: "same", proof: "p" };
    same(run.frames, [{ ...find, relay: true }]);
    run.then(video, ["pref", { name: "hide", value: false }], ["next"]);
    same(run.frames, [{ ...find, keep: true }]);
    run.then({ type: "error", code: "no_turn", of: "find" }, ["ready.text"]);
    same(run.frames, [{ ...find, mode: "text" }]);
  },
  "a proof that has run out turns the camera off": () => {
    const run = begun().then(["college.kept", { college: { domain: "uio.no", proof: "p", expires: 9e9, want: "any" } }]);
    run.then(["college.start", { mode: "video" }], ["media.got", both], ["ready.go"], { type: "error", code: "no_college", of: "find" });
    same([run.state.phase, run.state.sheet.problem], ["home", "lost"]);
    yes(media(run).includes("stop"));
  },
};
