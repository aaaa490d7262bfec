// More states of the gallery: the next stranger, what is kept of the last one, pictures that the two send each other.
import { drawn } from "/t/gallery-photos.mjs";

/** Pictures of a chat: asked for, allowed, chosen, on their way, arrived, refused, lost. */
function photos({ chatting, talk, lines, config }) {
  const [wide, high] = drawn;
  const allowed = { can: true, own: true, theirs: true, came: [] };
  const said = lines(talk.slice(0, 3));
  const asked = (given, rest) => chatting({ lines: said, photos: { ...allowed, ...given } }, { config, ...rest });
  const one = (by, url, photo) => ({ key: `p${photo.id}`, from: "photo", by, after: 3, text: "", photo: { open: by === "me", url, veil: null, why: null, key: "k", state: "shown", ...photo } });
  const shows = (...entries) => chatting({ lines: [...said, ...entries], photos: allowed }, { config });
  return {
    "chat-photo-wanted": asked({ own: false }),
    "chat-photo-menu": asked({ own: false, theirs: false }, { sheet: { is: "more" } }),
    "chat-photo-menu-asked": asked({ theirs: false }, { sheet: { is: "more" } }),
    "chat-photo-menu-on": asked({}, { sheet: { is: "more" } }),
    "chat-photo-preview": asked({}, { sheet: { is: "photo", url: wide, bytes: 90_000 } }),
    "chat-photo-bad": asked({}, { sheet: { is: "photo", url: null, bad: true } }),
    "chat-photo-sending": shows(one("me", high, { id: 1, state: "sending" }), one("me", wide, { id: 2, state: "checking" })),
    "chat-photo-sent": shows(one("me", wide, { id: 1 }), one("me", high, { id: 2, veil: "nudity" })),
    "chat-photo-failed": shows(...[null, "not", "off", "soon"].map((why, id) => one("me", wide, { id, state: "failed", why }))),
    "chat-photo-coming": shows(one("them", null, { id: 1, state: "coming" }), one("them", null, { id: 2, state: "gone" })),
    "chat-photo-came": shows(one("them", wide, { id: 1 }), one("them", wide, { id: 2, veil: "nudity" }), one("them", high, { id: 3, veil: "unchecked", open: "ask" })),
    "chat-photo-shown": shows(one("them", high, { id: 1, open: true }), one("them", wide, { id: 2, veil: "unchecked", open: true })),
    "chat-photo-large": asked({}, { sheet: { is: "large", url: high, name: "Picture from Amber Heron" } }),
  };
}

export const more = ({ base0, chat, chatting, ended, waiting, settled, call, ready, picture, mirrored, tagged, lines, talk, config, NOW }) => {
  const said = lines([
    ["them", "where do you sail?"],
    ["me", "> where do you sail?\nmostly on a lake. https://example.org/lakes?id=7 has pictures (and https://example.net/more)."],
    ["them", "⛵"],
    ["me", "👍🏽 🎉"],
    ["them", "> mostly on a lake.\n> it is small\nsounds calm. see https://example.org"],
    ["them", "©"],
  ]);
  const last = { chat: chat({ id: "before" }), ended: { cause: "me", at: NOW, count: null, unknown: false }, saved: null };
  const done = { is: "done", text: "Do you sail all year round, or only when it is warm?", from: "de", to: document.documentElement.lang, shown: true };
  /** A chat in another language: the two last of their lines, and what became of them. */
  const abroad = (more, one = more.asking && done, two, rest = {}) =>
    chatting(
      {
        language: "de",
        common: [],
        lines: lines([
          ["them", "Hallo! Ich habe gesehen, dass du segelst.", { key: "s1", other: two }],
          ["me", "yes, on a lake"],
          ["them", "Segelst du das ganze Jahr, oder nur wenn es warm ist?", { key: "s3", other: one }],
        ]),
        ...more,
      },
      { config: { ...config, translation: true }, ...rest },
    );
  /** Kept out by a program, for 40 minutes. */
  const kept = (more, phase) =>
    base0({
      phase,
      link: { ...settled, is: "stopped", settled: false },
      config: { ...config, rights: true, young: "/about" },
      refused: { code: "banned", until: Date.now() / 1000 + 2400, rule: "R1", reason: "Only adults may use this service.", network: false, day: "2026-11-26", by: "machine", appeal: "/about", ...more },
    });
  const looked = { ...config, video: true, relay: true, privacy: 7, pictures: true };
  const numbered = lines(talk.slice(0, 4)).map((line, index) => ({ ...line, seq: index + 1, key: `s${index + 1}` }));
  const until = Math.floor(NOW / 1000) + 90 * 86400;
  const friends = { ...tagged, pairs: [`a ${until} 4660`, `b ${until} 33825`] };
  const calls = { extra: { call: 0 }, mode: "text", interests: [], language: "en" };
  const news = { announcement: { id: "a", texts: { en: "Tonight at 22:00 this server moves to a new machine. Chats go on; new ones begin again after ten minutes." } }, maintenance: null, read_only: false };
  const works = { announcement: null, maintenance: { until: Date.UTC(2099, 0, 2, 21, 30) / 1000 }, read_only: false };
  return {
    "home-announced": base0({ prefs: tagged, service: news }),
    "chat-announced": chatting({}, { service: news }),
    "home-maintenance": base0({ prefs: tagged, service: works }),
    "home-maintenance-open": base0({ prefs: tagged, service: { ...works, maintenance: {} } }),
    "home-reads": base0({ prefs: tagged, service: { ...works, maintenance: null, read_only: true } }),
    "home-pairs": base0({ prefs: friends, here: [0, 1] }),
    "home-talking": base0({ prefs: tagged, status: { talking: { en: 340 } }, config: { ...config, name: "The Lantern", sentence: "Talk to somebody who is awake too." } }),
    "waiting-calling": waiting("anyone", null, {}, { prefs: friends, find: calls }),
    "waiting-calls": waiting("any", 6, {}, { prefs: friends, calls: { 1: "text" } }),
    "ended-kept": ended("stranger", {}, { chat: chat({ id: "9e8d0dd96d20dbe", side: 1, friend: "kept" }) }),
    "settings-pairs": base0({ prefs: friends, sheet: { is: "settings" } }),
    "waiting-check": waiting("any", 6, {}, { waiting: null, check: { kind: "altcha", of: "x", part: 0.4, failed: false }, sheet: { is: "check" } }),
    "waiting-check-failed": waiting("any", 6, {}, { waiting: null, check: { kind: "altcha", of: null, failed: true }, sheet: { is: "check" } }),
    "waiting-check-company": waiting("any", 6, {}, { waiting: null, check: { kind: "turnstile", company: "Cloudflare", of: "x", part: 0, failed: false, agreed: false }, sheet: { is: "check" } }),
    "chat-claimed": chatting({ claimed: true }, { sheet: { is: "claimed", age: 14 } }),
    "chat-asked": chatting({ waits: true }),
    "ended-claimed": ended("age", {}, { sheet: { is: "claimed", age: 14 } }),
    "ended-claimed-under": ended("age", {}, { sheet: { is: "claimed", age: 0 } }),
    "ended-age": ended("age"),
    "ended-young": ended("young", {}, { chat: chat({ lines: lines([["them", "im 14"], ["note", "tip.minor", { quiet: true }]]) }) }),
    "waiting-claimed": waiting("any", 6, {}, { waiting: null, sheet: { is: "claimed", age: 14 } }),
    "minor-told": kept({ appeal: undefined }, "minor"),
    "minor-seems": kept({ measure: "age" }, "minor"),
    "refused-pause": kept({ rule: "R5", reason: "No adverts, bots or scams." }, "refused"),
    "chat-next": chatting({}, { armed: "next" }),
    "chat-faces": chatting({ lines: numbered, faces: { 1: { me: "heart", them: "laugh" }, 3: { them: "wow" } } }),
    "chat-faces-pick": chatting({ lines: numbered, picking: "s1", faces: { 1: { me: "heart" } } }),
    "waiting-behind": waiting("any", 6, {}, { behind: { token: "t", until: Date.now() + 3000 } }),
    "chat-behind": chatting({}, { behind: { token: "t", until: Date.now() + 3000 } }),
    "chat-next-swipe": chatting({}, { armed: "swipe" }),
    "chat-last": chatting({ lines: [] }, { last, sheet: { is: "more" } }),
    "chat-last-open": chatting({ lines: [] }, { last, sheet: { is: "last" } }),
    "chat-last-report": chatting({ lines: [] }, { last, sheet: { is: "report", last: true } }),
    "chat-last-reported": chatting({}, { last, notice: "reported" }),
    "chat-last-saved": chatting({}, { last: { ...last, saved: { url: "/log/6Qm2mWdv0mH1cXq0aF3y9g" } }, sheet: { is: "save", last: true } }),
    "chat-translate": abroad({}),
    "chat-translated": abroad({ asking: "s3" }),
    "chat-translating": abroad({ fetched: 40 }, { is: "busy" }),
    "chat-translated-not": abroad({ every: true }, { is: "failed", why: "away" }, { is: "same" }),
    "chat-translated-more": abroad({ every: true }, done, done, { sheet: { is: "more" } }),
    "chat-draft": chatting({ draft: "a sentence that was begun before the page was loaded again" }),
    "waiting-topics": waiting("any", 6, {}, { sheet: { is: "topics" }, prefs: tagged }),
    "waiting-usual": waiting("any", 6, {}, { status: { usual: { text: 5 } } }),
    "waiting-called": waiting("any", 6, {}, { prefs: { ...tagged, called: true } }),
    "chat-sent-away": chatting({ unseen: 3 }, { visible: false }),
    "settings-notify": base0({ prefs: { ...tagged, notify: true }, sheet: { is: "settings" }, can: { keep: true, cookies: true, notify: "granted" } }),
    "settings-notify-denied": base0({ prefs: tagged, sheet: { is: "settings" }, can: { keep: true, cookies: true, notify: "denied" } }),
    "chat-quote": chatting({ lines: said }),
    "chat-quoting": chatting({ quote: { key: null, text: "> where do you sail, and is there wind enough in the morning to reach the other side of the lake?\n> tell me\n" } }),
    "chat-tone-1": chatting({ tone: 1 }),
    "chat-tone-2": chatting({ tone: 2 }),
    "chat-tone-3": chatting({ tone: 3, lines: said }),
    "ended-text": ended("stranger", {}, { config: { ...config, save: false }, chat: chat({ lines: said }) }),
    "home-last": base0({ prefs: tagged, last }),
    "waiting-last-topics": waiting("any", 6, {}, { last }),
    "call-bad": call({ ...picture, remote: 1, quality: "bad" }),
    "call-off": call({ theirs: { camera: false, microphone: false } }),
    "call-muted": call({ ...picture, remote: 1, theirs: { camera: true, microphone: false } }),
    "call-muted-blurred": call({ ...picture, remote: 1, blurred: true, theirs: { camera: true, microphone: false } }),
    "call-sound-messages": call({ ...picture, remote: 1, open: true, theirs: { camera: false, microphone: true } }),
    "call-college": { ...call({ ...picture, remote: 1, blurred: true }), chat: chat({ college: "uio.no", call: { offer: true, ice: [] } }) },
    "call-full": call({ ...picture, remote: 1, full: true }),
    "call-next": call({ ...picture, remote: 1 }, { armed: "next" }),
    "ready-pictures": ready(mirrored, { config: looked }),
    "ready-pictures-by": ready({}, { config: { ...looked, checker: "Example Checks Ltd" } }),
    "call-pictures": call({ ...picture, remote: 1 }, { config: looked }),
    "call-pictures-first": call({ ...picture, remote: 1, blurred: true }, { config: looked }),
    "call-pictures-said": call({ ...picture, remote: 1 }, { config: looked, sheet: { is: "pictures" } }),
    "call-pictures-off": call({ ...picture, blurred: true, theirs: { camera: false, microphone: false } }, { config: looked }),
    "call-veil": call({ ...picture, remote: 1, veil: true, looked: true }, { config: looked }),
    "call-veil-first": call({ ...picture, remote: 1, veil: true, blurred: true }, { config: looked }),
    "call-veil-messages": call({ ...picture, remote: 1, veil: true, looked: true, open: true }, { config: looked }),
    "chat-unchecked": chatting({ hung: true, lines: [...lines(talk), { key: "n", from: "note", text: "call.unchecked" }] }, { config: looked }),
    "no-video": base0({ prefs: tagged, config: looked, sheet: { is: "novideo", until: Date.now() + 600_000 } }),
    "no-video-now": base0({ prefs: tagged, config: looked, sheet: { is: "novideo", until: null } }),
    ...photos({ base0, chatting, talk, lines, config: looked }),
    "call-next-swipe": call({ ...picture, remote: 1 }, { armed: "swipe" }),
  };
};
