// The gallery: every state of every screen, from canned states, without a socket or a clock. `put(name)` shows one.
const base = document.querySelector("meta[name=base]").content;
const from = (name) => import(base + name);
const [{ render }, { html }, { App }, { load }, { first, defaults }, { bannerOf }, store, { look }] = await Promise.all(
  ["vendor/preact.mjs", "html.js", "views/app.js", "words.js", "reduce/state.js", "parts/banner.js", "store.js", "effects.js"].map(from),
);
const { rest } = await from("rest.js");
const { views, sheets } = await from("views/app.js");
const { laterScreen, laterSheet } = await from("parts/later.js");
await load(new URLSearchParams(location.search).get("words") ?? "en");
store.start(
  () => [store.get()],
  first(),
  () => {},
); // nothing is decided here; a press changes nothing
await rest();
const { act, local } = await from("video/media.js");
// A camera whose picture stands still, and is there when it is asked for: the browser's false one has the next in a fifth of a second.
const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
const brush = canvas.getContext("2d");
const film = canvas.captureStream(0);
navigator.mediaDevices.getUserMedia = async () => film;
/** Show the picture to all who look. */
function shoot() {
  brush.fillStyle = "#3d8b6b";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.fillStyle = "#f4d35e";
  brush.beginPath();
  brush.arc(canvas.width / 2, canvas.height / 2, 120, 0, 2 * Math.PI);
  brush.fill();
  film.getVideoTracks()[0].requestFrame();
}
act({ op: "ask", camera: "", microphone: "", sound: false });
while (!local().getVideoTracks().length) await new Promise((done) => setTimeout(done, 20));

const NOW = Date.UTC(2026, 10, 24, 12);
const settled = { is: "open", settled: true, since: 0, attempt: 0, retryAt: 0, why: null };
const me = { token: "t", resume: true, online: 1204, grace: 15 };
const config = { modes: ["text"], save: true, age: "ask" };
const prefs = { ...defaults, adult: true };
const base0 = (more) => first({ now: NOW, link: settled, me, config, prefs, ...more });
const tagged = { ...prefs, tags: ["sailing", "sourdough"] };
const find = { mode: "text", interests: ["sailing", "sourdough", "jazz"], language: "en" };
const lost = (ago, more) => ({ ...settled, is: "lost", settled: false, since: NOW - ago, attempt: 1, ...more });
const talk = [
  ["them", "hi! sailing AND sourdough? that is suspiciously specific"],
  ["them", "where do you sail?"],
  ["me", "ha, mostly small dinghies on a lake. nothing heroic"],
  ["me", "the sourdough is for when there's no wind"],
  ["them", "that's the best reason to bake i've heard"],
  ["me", "how old is your starter?"],
  ["them", "four years. it has a name but i'm not telling a stranger"],
];
const lines = (said, more = {}) =>
  said.map(([from, text, extra]) => ({
    text,
    from,
    key: `k${text.slice(0, 20)}${from}${Math.random()}`,
    state: from === "me" ? "sent" : undefined,
    ...more,
    ...extra,
  }));
const chat = (more = {}) => ({
  id: "c",
  role: "stranger",
  common: ["sailing", "sourdough"],
  language: "en",
  asked: true,
  lines: lines(talk),
  ordinal: 3,
  last: 7,
  typing: null,
  away: null,
  replay: 0,
  missed: 0,
  paused: 0,
  stamps: [],
  unseen: 0,
  faces: {},
  picking: null,
  ...more,
});
const chatting = (more = {}, rest = {}) => base0({ phase: "chat", find, chat: chat(more), ...rest });
const ended = (cause, more = {}, rest = {}) =>
  base0({ phase: "ended", find, chat: chat(), ended: { cause, at: NOW, count: null, ...more }, ...rest });
const waiting = (accepts, widens, more = {}, rest = {}) =>
  base0({ phase: "waiting", find, waiting: { accepts, widens, at: NOW, others: false, quiet: false, ...more }, ...rest });
const seen = {
  ...first().video,
  passed: true,
  asked: 2,
  devices: {
    cameras: [
      { id: "a", label: "Front camera" },
      { id: "b", label: "Back camera" },
    ],
    microphones: [{ id: "c", label: "Built-in microphone" }],
    speakers: [],
  },
  blurs: ["none", "background", "all"],
};
const ready = (more = {}, rest = {}) =>
  base0({
    phase: "ready",
    find: { ...find, mode: "video" },
    video: { ...seen, ...more },
    config: { ...config, video: true, relay: true },
    ...rest,
  });
const call = (more = {}, rest = {}) =>
  chatting(
    { call: { offer: true, ice: [] }, lines: lines(talk.slice(0, 3)) },
    { video: { ...seen, link: "live", blurred: false, framed: true, quality: "good", ...more }, ...rest },
  );
const picture = { local: 1, has: { camera: true, microphone: true } };
const mirrored = { ...seen, ...picture };
const proof = { domain: "uio.no", proof: "p", expires: NOW / 1000 + 86400, want: "any" };
const question = "Is a hot dog a sandwich, and does it matter who asks?";
const offering = (more = {}) => base0({ config: { ...config, spy: true, college: true, video: true }, ...more });
const debate = [
  [1, "a sandwich needs two slices, so no"],
  [2, "a sub has one slice that is cut"],
  [2, "nobody calls that not a sandwich"],
  [1, "nobody calls a taco one either"],
];
const watching = (more = {}, rest = {}) => {
  const extra = { role: "spy", question };
  return chatting(
    { role: "spy", question, common: [], asked: false, lines: lines(debate), ...more },
    { find: { ...find, extra }, ...rest },
  );
};
const many = Array.from({ length: 32 }, (_, index) => `topic ${index + 1}`);
const long = `${"W".repeat(1200)} ${"ordinary words that wrap at spaces ".repeat(20)}`;

const made = { base0, chat, chatting, ended, waiting, call, ready, mirrored, picture, prefs, tagged, config, lines, talk, NOW, settled, find };
const { more } = await import("/t/gallery-more.mjs");

export const states = {
  ...more(made),
  "home-first": base0({ prefs: defaults }),
  "home-back": base0({ prefs: tagged }),
  "home-connecting": base0({ prefs: tagged, me: { ...me, online: null }, link: { ...settled, is: "connecting", settled: false } }),
  "home-text-only": base0({ prefs: tagged, config: { ...config, spy: false } }),
  "home-alone": base0({ prefs: tagged, me: { ...me, online: 1 } }),
  "home-offline": base0({ prefs: tagged, online: false, link: lost(5000) }),
  "home-unreachable": base0({ link: lost(60000, { attempt: 6, retryAt: NOW + 20000 }) }),
  "home-trying": base0({ link: lost(60000, { attempt: 6 }) }),
  "home-full": base0({ link: lost(6000, { why: "full" }) }),
  "home-stopped": base0({ link: { ...lost(60000), is: "stopped" }, notice: "stopped" }),
  "home-failed": base0({ notice: "failed" }),
  "home-forgot": base0({ notice: "forgot" }),
  "home-statement": base0({ prefs: tagged, notice: "statement" }),
  "home-full-tags": base0({ prefs: { ...prefs, tags: many }, form: { problem: "full", pulse: null } }),
  "home-long-tag": base0({
    prefs: { ...prefs, tags: ["sailing", "x".repeat(64), "نجارة", "パン作り"] },
    form: { problem: "long", pulse: null },
  }),
  "home-twice": base0({ prefs: tagged, form: { problem: "twice", pulse: 1 } }),
  "home-any-language": base0({ prefs: { ...tagged, language: "*" } }),
  age: base0({ prefs: { ...tagged, adult: false }, sheet: { is: "age", find } }),
  "age-year": base0({ prefs: { ...tagged, adult: false }, config: { ...config, age: "year" }, sheet: { is: "age", find, wrong: true } }),
  minor: base0({ phase: "minor" }),
  "minor-places": base0({ phase: "minor", config: { ...config, young: "/about" } }),
  "waiting-unsent": base0({ phase: "waiting", find, me: { ...me, online: null }, link: { ...settled, is: "connecting", settled: false } }),
  "waiting-good": waiting("good", 3),
  "waiting-any": waiting("any", 6),
  "waiting-anyone": waiting("anyone", null),
  "waiting-any-language": waiting("any", 6, {}, { find: { ...find, language: "*" } }),
  "waiting-plain": waiting("anyone", null, {}, { find: { ...find, interests: [] } }),
  "waiting-quiet": waiting("anyone", null, { quiet: true, others: true }, {
    me: { ...me, online: 3 },
    status: { usual: { text: 10 } },
    can: { keep: true, cookies: true, notify: "granted" },
    last: { chat: chat(), ended: { cause: "me", at: NOW }, saved: null },
  }),
  "waiting-alone": waiting("anyone", null, { quiet: true }, { me: { ...me, online: 1 }, find: { ...find, interests: [] } }),
  "waiting-lost": waiting("any", 6, {}, { link: lost(2000) }),
  "waiting-restart": waiting("any", 6, {}, { link: lost(2000, { is: "restarting", why: "restart" }) }),
  "waiting-slowly": waiting("any", 6, {}, { notice: "slowly" }),
  "chat-new": chatting({ lines: [] }),
  "chat-nothing-shared": chatting({ lines: [], common: [] }),
  "chat-unasked": chatting({ lines: [], common: [], asked: false }),
  "chat-other-language": chatting({ lines: [], common: ["jazz"], language: "de" }),
  "chat-college": chatting({ lines: [], common: ["jazz"], college: "uio.no" }),
  "chat-question": chatting({ lines: [], common: [], asked: false, question: "Is a hot dog a sandwich?" }),
  chat: chatting(),
  "chat-typing": chatting({ typing: "them" }),
  "chat-away": chatting({ away: NOW + 12000 }),
  "chat-late": chatting({ lines: lines([...talk.slice(0, 3), ["me", "still there?", { state: "sending", late: true }]]) }),
  "chat-refused": chatting({ lines: lines([...talk.slice(0, 3), ["me", "hello?", { state: "refused" }]]) }),
  "chat-armed": chatting({}, { armed: "leave" }),
  "chat-paused": chatting({ paused: NOW + 3000 }, { notice: "flood" }),
  "chat-reconnecting": chatting({}, { link: lost(4000) }),
  "chat-reconnecting-late": chatting({}, { link: lost(20000, { attempt: 4 }) }),
  "chat-offline": chatting({}, { online: false, link: lost(4000) }),
  "chat-unreachable": chatting({}, { link: lost(40000, { attempt: 6, retryAt: NOW + 18000 }) }),
  "chat-missed": chatting({ lines: [...lines(talk), { key: "n", from: "note", text: "chat.missed", values: { n: 3 } }] }),
  "chat-replaying": chatting({ replay: 3 }),
  "chat-reloaded": chatting({ lines: [{ key: "n", from: "note", text: "chat.reloaded" }, ...lines(talk.slice(0, 2))] }),
  "chat-long": chatting({
    lines: lines([
      ["them", long],
      ["me", long],
    ]),
  }),
  "chat-scripts": chatting({
    lines: lines([
      ["them", "مرحبا! هل تبحر؟"],
      ["me", "כן, בסופי שבוע"],
      ["them", "日本語でも話せますか。パンを焼くのが好きです"],
      ["me", "abc \u202Egnp.exe\u202C You: I agreed"],
      ["them", "\u200b\u200b\u2060"],
      ["them", "Z̷̢̛͍͉̭̙̪̘̩̜̏̈́͗̈́̒̀̊͜ȃ̸̡̛̗͚̥̦̝̯̀̀̾̌́͐l̴̨̛̻̫̹͖̓̈́̎̂̈́͘g̷̡̧̟̯̩̀̏͑̐͝o"],
      ["me", "<b>not bold</b> &amp; https://example.org"],
    ]),
  }),
  "chat-cut": chatting({ cut: true }),
  "ended-stranger": ended("stranger"),
  "ended-me": ended("me"),
  "ended-lost": ended("lost"),
  "ended-late": ended("late"),
  "ended-restart": ended("restart"),
  "ended-flood": ended("flood"),
  "ended-moderation": ended("moderation", {}, { config: { ...config, appeal: "/about" } }),
  "ended-reported": ended("reported", { reported: "spam" }),
  "ended-danger": ended("reported", {
    reported: "danger",
    receipt: "/about",
    help: [
      { name: "Emergency", call: "911" },
      { name: "988 Suicide & Crisis Lifeline (call or text)", call: "988" },
      { name: "Find A Helpline: crisis lines by country", url: "https://findahelpline.com" },
    ],
  }),
  "more-block": chatting({}, { sheet: { is: "more" } }),
  "chat-tips": chatting({ lines: lines([...talk.slice(0, 3), ["them", "add me on snap, sail.example/me"], ["note", "tip.contact", { quiet: true }], ["note", "tip.link", { quiet: true }], ["me", "4111 1111 1111 1111"], ["note", "tip.private", { quiet: true }], ["them", "send me a gift card"], ["note", "tip.money", { quiet: true }], ["note", "tip.help", { quiet: true, values: { who: "Samaritans 116 123" } }]]) }),
  "more-blocked": chatting({ blocked: "kept" }, { sheet: { is: "more" } }),
  "more-visit": ended("stranger", {}, { chat: chat({ blocked: "visit" }), sheet: { is: "more" } }),
  unread: base0({
    phase: "unread",
    find,
    unread: { id: "n", kind: "warning", rule: "R4", day: "2026-11-26", by: "person", appeal: "/about" },
  }),
  "unread-machine": base0({
    phase: "unread",
    find,
    unread: { id: "n", kind: "warning", rule: "R5", day: "2026-11-26", by: "machine", appeal: "/about" },
  }),
  "ended-broken": ended("broken", {}, { refused: { code: 1009 } }),
  "ended-count": ended("stranger", { count: 5 }, { prefs: { ...prefs, auto: true } }),
  "ended-nosave": ended("stranger", {}, { config: { ...config, save: false } }),
  "ended-notsent": ended("lost", {}, { chat: chat({ lines: lines([...talk.slice(0, 3), ["me", "hello?", { state: "refused" }]]) }) }),
  report: chatting({}, { sheet: { is: "report" } }),
  "report-note": chatting({}, { sheet: { is: "report", note: true, wrong: true } }),
  "report-ended": ended("stranger", {}, { sheet: { is: "report" } }),
  save: ended("stranger", {}, { sheet: { is: "save" } }),
  "save-busy": ended("stranger", {}, { sheet: { is: "save", busy: true } }),
  "save-failed": ended("stranger", {}, { sheet: { is: "save", problem: "failed" } }),
  "save-late": ended("stranger", {}, { sheet: { is: "save", problem: "late" } }),
  "save-done": ended(
    "stranger",
    {},
    {
      sheet: { is: "save", copied: "saved-link" },
      saved: { url: "/log/6Qm2mWdv0mH1cXq0aF3y9g", delete: "/log/6Qm2mWdv0mH1cXq0aF3y9g/delete/8sYd" },
    },
  ),
  "ended-unknown": ended("restart", { unknown: true }),
  "chat-apart": chatting({}, { online: false, link: lost(4000) }),
  more: chatting({}, { sheet: { is: "more" } }),
  keys: chatting({}, { sheet: { is: "keys" } }),
  settings: base0({ prefs: tagged, sheet: { is: "settings" }, can: { keep: true, cookies: true, install: true } }),
  "settings-nothing": base0({ prefs: { ...tagged, nothing: true }, sheet: { is: "settings" } }),
  forget: base0({ prefs: tagged, sheet: { is: "forget" } }),
  "settings-refused": base0({ prefs: tagged, sheet: { is: "settings" }, can: { keep: false, cookies: false, install: false } }),
  ready: ready(),
  "ready-asking": ready({ asked: 1.5 }),
  "ready-blocked": ready({ problem: "blocked" }),
  "ready-none": ready({ problem: "none" }, { config: { ...config, video: true } }),
  "ready-cannot": base0({ notice: "cannot", config: { ...config, video: true } }),
  "call-curtain": call({ blurred: true }),
  "call-curtain-up": call({ ...picture, framed: false }),
  "call-curtain-quiet": call({ blurred: true }, { prefs: { ...tagged, hush: true } }),
  "call-connecting": call({ blurred: true, link: "connecting", slow: 1 }),
  call: call(),
  "call-weak": call({ quality: "weak", on: { camera: false, microphone: false } }),
  "call-panic": call({ ...picture, blurred: true, looked: true }),
  "call-muted": call({ theirs: { camera: true, microphone: false } }),
  "call-late": call({ link: "connecting", slow: 2 }, { config: { ...config, video: true, relay: true } }),
  "call-paused": call({ link: "paused" }),
  "call-camera-off": call({ theirs: { camera: false, microphone: true } }),
  "call-silent": call({ silent: true }),
  "call-gone": call({ problem: "gone" }),
  "call-messages": call({ open: true }),
  "call-menu": call({}, { sheet: { is: "call" } }),
  "call-ended": ended("stranger", {}, { chat: chat({ call: { offer: true, ice: [] } }) }),
  opening: base0({ sheet: { is: "opening" } }),
  coming: base0({ phase: "coming" }),
  "coming-failed": base0({ phase: "failing", notice: "failed" }),
  "home-ways": offering({ me: { ...me, online: 12 }, status: { spy: { ask: 80, discuss: 4 } } }),
  "home-ways-college": offering({ college: proof, prefs: tagged }),
  ask: offering({ sheet: { is: "ask" }, status: { spy: { ask: 4, discuss: 80 } } }),
  "ask-short": offering({ sheet: { is: "ask", question: "Why?", wrong: true } }),
  "ask-long": offering({ sheet: { is: "ask", question: "Why? ".repeat(50), wrong: true, share: true } }),
  "ask-rather": offering({ sheet: { is: "ask" }, status: { spy: { ask: 80, discuss: 4 } } }),
  discuss: offering({ sheet: { is: "discuss" }, status: { spy: { ask: 80, discuss: 4 } } }),
  "waiting-last": waiting("any", 6, {}, { last: { chat: chat(), ended: { cause: "stranger", at: NOW, count: null }, saved: null } }),
  "waiting-spy": waiting("anyone", null, {}, { find: { ...find, interests: [], extra: { role: "spy", question } } }),
  "waiting-discuss": waiting("anyone", null, {}, { find: { ...find, interests: [], extra: { role: "discuss" } } }),
  "chat-discuss": chatting({ role: "discuss", question, common: [], asked: false }),
  watch: watching(),
  "watch-new": watching({ lines: [] }),
  "watch-typing": watching({ typing: 1, typers: { 1: true } }),
  "watch-typing-both": watching({ typing: 1, typers: { 1: true, 2: true } }),
  "watch-armed": watching({}, { armed: "leave" }),
  "watch-left": watching({}, { phase: "ended", ended: { cause: "stranger", who: 1, at: NOW, count: null } }),
  "watch-over": watching({}, { phase: "ended", ended: { cause: "stranger", at: NOW, count: null } }),
  "watch-stopped": watching({}, { phase: "ended", ended: { cause: "watched", at: NOW, count: null } }),
  "watch-report": watching({}, { sheet: { is: "report" } }),
  "watch-report-who": watching({}, { sheet: { is: "report", who: 2 } }),
  "college-mail": offering({ sheet: { is: "college" } }),
  "college-busy": offering({ sheet: { is: "college", busy: "mail" } }),
  "college-unknown": offering({ sheet: { is: "college", problem: "not_college" } }),
  "college-wait": offering({ sheet: { is: "college", problem: "wait", figure: 2400 } }),
  "college-cookies": offering({ sheet: { is: "college", problem: "no_cookie" } }),
  "college-network": offering({ sheet: { is: "college", problem: "network" } }),
  "college-code": offering({ sheet: { is: "college", step: "code", domain: "uio.no" } }),
  "college-wrong": offering({ sheet: { is: "college", step: "code", domain: "uio.no", problem: "wrong", figure: 3 } }),
  "college-expired": offering({ sheet: { is: "college", problem: "expired" } }),
  "college-lost": offering({ sheet: { is: "college", problem: "lost" } }),
  "college-in": offering({ college: proof, sheet: { is: "college" } }),
  "waiting-college": waiting("any", 6, {}, { college: proof, find: { ...find, extra: { college: "same", proof: "p" } } }),
  "waiting-video": waiting("any", 6, {}, { find: { ...find, mode: "video" }, video: mirrored }),
  "ready-preview": ready(mirrored),
  "ready-no-turn": ready(mirrored, { config: { ...config, video: true, relay: false } }),
  "ready-closed": ready({ problem: "closed", asked: 0 }),
  "ready-busy": ready({ problem: "busy", asked: 0 }),
  "call-picture": call({ ...picture, remote: 1 }),
  "call-picture-blurred": call({ ...picture, remote: 1, blurred: true }),
  "call-armed": call({ ...picture, remote: 1 }, { armed: "leave" }),
  "call-report": call({ ...picture, remote: 1 }, { sheet: { is: "report" } }),
  "call-reconnecting": call({ ...picture, remote: 1 }, { link: lost(4000) }),
  "settings-video": base0({
    prefs: tagged,
    config: { ...config, video: true, relay: true },
    sheet: { is: "settings" },
    can: { keep: true, cookies: true },
  }),
  "report-undelivered": ended("late", {}, { notice: "undelivered" }),
  replaced: base0({ phase: "replaced" }),
  refused: base0({
    phase: "refused",
    refused: { until: Date.UTC(2026, 11, 3) / 1000, reason: "hate or harassment, reported on 26 November", appeal: "/about", day: "2026-11-26", by: "person" },
  }),
  "refused-for-good": base0({ phase: "refused", refused: { reason: "advert, bot or scam", appeal: "/about" } }),
};

const NEVER = ["opening", "coming", "coming-failed"];
// Parts that never come, and parts that cannot be had.
sheets.opening = laterSheet(() => new Promise(() => {}), "");
views.coming = laterScreen(() => new Promise(() => {}), "");
views.failing = laterScreen(() => Promise.reject(new Error("no network")), "");

const root = document.getElementById("app");
/** Pieces of a screen that are fetched later are there too. */
const whole = ({ waiting, find, phase, chat, config }) =>
  (!waiting?.quiet || document.querySelector(".quiet")) &&
  (phase !== "waiting" || document.querySelector(".meanwhile")) &&
  (phase !== "waiting" || find?.mode !== "video" || document.querySelector(".self")) &&
  (phase !== "chat" || !chat.call || document.querySelector(".stage")) &&
  (phase !== "chat" || !config.translation || document.querySelector(".translated")) &&
  (phase !== "chat" || !chat.lines.some(({ photo }) => photo) || document.querySelector(".photoline .hush")) &&
  (phase !== "chat" || !chat.photos || document.querySelector(".photoask, dialog[open], .photoline, #photo-pick")) &&
  (phase !== "chat" || document.querySelector(".room h1"));

/** A picture is there. */
async function playing(video) {
  if (!video.srcObject?.getVideoTracks().length) return;
  const played = video.play();
  for (; video.readyState < 2; shoot()) await new Promise((done) => setTimeout(done));
  await played;
}

root.replaceChildren(); // what the shell says until the page is there
window.names = Object.keys(states);
window.put = async (name) => {
  render(null, root);
  look(states[name].prefs);
  store.show(states[name]);
  render(
    html`
      <${App} state=${states[name]} />
    `,
    root,
  );
  while (!NEVER.includes(name) && (document.querySelector("#opening, .coming") || !whole(states[name]))) {
    await new Promise((done) => setTimeout(done)); // a screen that is fetched later is put up in its turn
    render(
      html`
        <${App} state=${states[name]} />
      `,
      root,
    );
  }
  const theirs = document.querySelector("#theirs");
  if (theirs && states[name].video.remote) theirs.srcObject = local(); // the camera plays the stranger too
  await Promise.all([...document.querySelectorAll("video")].map(playing));
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await document.fonts.ready;
  document.querySelector(".middle")?.scrollTo(0, 1e6);
  for (const moving of document.getAnimations()) {
    if (moving.effect.getComputedTiming().endTime < Infinity) moving.finish(); // what comes late, too
  }
  return document.title;
};
window.banner = bannerOf;
document.documentElement.dataset.ready = "";
