// Tables of events for calls: what the other is told and tells, what stays off, students by video.
import { adult, cut, hello, matched, play, same, yes } from "./reduce.mjs";

const base = document.querySelector("meta[name=base]").content;
const { first } = await import(`${base}reduce/state.js`);

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
const media = (run) => run.effects.filter((effect) => effect.do === "media").map(({ op }) => op);
const said = (run) => run.effects.filter((effect) => effect.do === "say" || effect.do === "unsay").map((effect) => `${effect.do} ${effect.key}`);

export const cases = {
  "each change of mine is told once": () => {
    same(called().then(["toggle", { kind: "camera" }]).frames, [told(false, true)]);
    same(called().then(["toggle", { kind: "microphone" }], ["toggle", { kind: "microphone" }]).frames, [told(true, false), told(true, true)]);
    same(called().then(["toggle", { kind: "camera" }], ["media.got", { ...both, camera: false }]).frames, [told(false, true)]);
  },
  "it is told anew to who was away, and when I was": () => {
    const run = called().then(["toggle", { kind: "camera" }], { type: "partner", state: "away", within: 15 });
    same(run.then({ type: "partner", state: "back" }).frames, [told(false, true)]);
    run.then(cut, ["open"], hello, { ...video, type: "resumed", seq: 0, taken: 0, missed: 0 });
    same(run.frames.filter(({ type }) => type === "signal"), [told(false, true)]);
  },
  "of what they tell a yes and a no count, and what changed is said once": () => {
    const run = called().then(told(false, true));
    same([run.state.video.theirs, said(run)], [{ camera: false, microphone: true }, ["say call.camera.off"]]);
    same(said(run.then(told(false, true))), []);
    same(said(run.then(told(false, false))), ["say call.off"]);
    run.then({ type: "signal", media: { camera: "yes", microphone: 1, face: true } }, { type: "signal", media: true });
    same([run.state.video.theirs, said(run)], [{ camera: false, microphone: false }, []]);
    same(said(run.then({ type: "signal", media: { camera: true } })), ["say call.muted"]);
    same(said(run.then(told(true, true))), ["unsay call.muted"]);
  },
  "in a held chat nothing is sent or shown, and the call goes on after the answer": () => {
    const solved = { type: "solved", kind: "age" };
    for (const [asked, over] of [
      [{ type: "challenge", kind: "age", parameters: { age: 14 }, within: 120 }, solved],
      [{ type: "partner", state: "asked", within: 120 }, { type: "partner", state: "back" }],
    ]) {
      const run = called().then(asked);
      same(media(run), ["hold"]);
      same([media(run.then(over)), run.frames], [["hold", "mend"], [told(true, true)]]);
    }
    same(media(called().then({ type: "challenge", kind: "age", parameters: { hint: true }, within: 120 })), [], "after a hint it goes on");
  },
  "what is not there is off, and the next press asks for it": () => {
    const run = called().then(["media.gone", { kind: "video" }]);
    same([run.state.video.on.camera, run.frames], [false, [told(false, true)]]);
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
    same(run.then(["next"], ["next"], { ...video, chat: "c2" }).state.video.ownBlur, "all");
    same(said(run.then(["call.quality", { level: "weak" }], ["call.quality", { level: "bad" }])), ["say call.quality.bad"]);
  },
  "students meet by video too, with a hidden address as long as it is to be hidden": () => {
    const run = begun({ hide: true }).then(["college.kept", { college: { domain: "uio.no", proof: "p", expires: 9e9, want: "same" } }]);
    run.then(["college.start", { mode: "video" }], ["media.got", both], ["ready.go"]);
    const find = { type: "find", mode: "video", language: "en", college: "same", proof: "p" };
    same(run.frames, [{ ...find, relay: true }]);
    run.then(video, ["pref", { name: "hide", value: false }], ["next"], ["next"]);
    same(run.frames, [find]);
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
