// Tables of events for the page's reduce. A case is a sentence and a function that throws where the sentence does not hold.
const base = document.querySelector("meta[name=base]").content;
const { reduce, counts, learn } = await import(`${base}reduce.js`);
const rest = await import(`${base}reduce/rest.js`);
learn(rest);
const { first, defaults } = await import(`${base}reduce/state.js`);
const { backoff } = await import(`${base}${"client"}/backoff.js`);
const { split } = await import(`${base}reduce/find.js`);
const { clean, blank } = await import(`${base}text.js`);
const { bannerOf } = await import(`${base}parts/banner.js`);

export const same = (found, wanted) => {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${a} is not ${b}`);
};
export const yes = (found, what) => {
  if (!found) throw new Error(what ?? "it is not so");
};

/** Play events one after the other, a second apart; an event is [type, detail] or a frame of the server. */
export function play(state, ...events) {
  const run = { state, now: state.now || 1e12, effects: [], frames: [] };
  run.then = (...more) => {
    run.frames = [];
    run.effects = [];
    for (const event of more) {
      run.now += 1000;
      const told = Array.isArray(event) ? { type: event[0], ...event[1] } : { type: "frame", frame: event };
      const [next, ...effects] = reduce(run.state, Object.freeze(told), run.now);
      run.state = next;
      run.effects.push(...effects);
      run.frames.push(...effects.filter((effect) => effect.do === "send").map((effect) => effect.frame));
    }
    return run;
  };
  return run.then(...events);
}

export const adult = { prefs: { ...defaults, adult: true } };
export const hello = { type: "hello", session: "s", token: "t1", online: 7, grace: 15 };
export const matched = { type: "matched", chat: "c1", role: "stranger", common: [], language: "en" };
export const home = () => play(first(adult), ["open"], hello);
export const waiting = () => home().then(["start", { mode: "text" }]);
export const chat = () => waiting().then(matched);
export const cut = ["closed", { code: 1006 }];
export const says = (text) => ["say", { text }];
const texts = (run) => run.state.chat.lines.map(({ from, text, state }) => [from, text, state ?? ""].join(":"));

export const cases = {
  "the first start asks the age and the answer goes on by itself": () => {
    const run = play(first(), ["open"], hello, ["start", { mode: "text" }]);
    same(run.state.sheet.is, "age");
    same(run.frames, []);
    run.then(["age", { adult: true }]);
    same(run.frames, [{ type: "find", mode: "text", language: "en" }]);
    same(run.state.phase, "waiting");
  },
  "under 18 starts nothing, and again nothing for a day": () => {
    const run = play(first(), ["open"], hello, ["start", {}], ["age", { adult: false }]);
    same(run.state.phase, "minor");
    same(run.state.prefs.tags, []);
    run.then(["home"], ["start", {}]);
    same([run.state.phase, run.frames.length], ["minor", 0]);
    run.now += 25 * 3600 * 1000;
    run.then(["home"], ["start", {}]);
    same(run.state.sheet.is, "age");
  },
  "a press before the socket opens is kept and sent once": () => {
    const run = play(first(adult), ["start", { mode: "text" }]);
    same([run.state.phase, run.frames], ["waiting", []]);
    run.then(["open"], hello);
    same(
      run.frames.map((frame) => frame.type),
      ["find"],
    );
  },
  "topics and language go with find, and nothing before it": () => {
    const run = play(
      first(adult),
      ["open"],
      hello,
      ["tag.add", { text: "sailing, sourdough" }],
      ["pref", { name: "language", value: "de" }],
    );
    same(run.frames, []);
    run.then(["start", { mode: "text" }]);
    same(run.frames, [{ type: "find", mode: "text", interests: ["sailing", "sourdough"], language: "de" }]);
  },
  "topics are tidied, not doubled, at most 32 and of 64 characters": () => {
    same(split(" a ,b\u202e\nc,,  d   e "), ["a", "b", "c", "d e"]);
    const run = play(first(adult), ["tag.add", { text: "Sailing" }], ["tag.add", { text: "sailing" }]);
    same([run.state.prefs.tags, run.state.form], [["Sailing"], { problem: "twice", pulse: 0 }]);
    same([split("\u200b, \ufe0f ,\u3164"), split("👩‍👩‍👧")], [[], ["👩‍👩‍👧"]]);
    run.then(["tag.add", { text: "ｓａｉｌｉｎｇ" }]);
    same(run.state.form.problem, "twice");
    run.then(["tag.add", { text: "ﷺ".repeat(4) }]);
    same(run.state.form.problem, "long"); // 18 letters each where it is taken apart
    run.then(["tag.add", { text: "x".repeat(65) }]);
    same(run.state.form.problem, "long");
    run.then(["tag.add", { text: Array.from({ length: 40 }, (_, index) => `t${index}`).join(",") }]);
    same([run.state.prefs.tags.length, run.state.form.problem], [32, "full"]);
  },
  "meet anyone now keeps the search and drops the topics": () => {
    const run = play(
      first(adult),
      ["open"],
      hello,
      ["tag.add", { text: "jazz" }],
      ["start", {}],
      { type: "waiting", accepts: "good", widens: 3 },
      ["anyone"],
    );
    same(run.frames.at(-1), { type: "find", mode: "text", language: "en" });
    same(run.state.prefs.tags, ["jazz"]);
  },
  "stop says leave and a match that crossed with it is not shown": () => {
    const run = waiting().then(["stop"]);
    same(run.frames, [{ type: "leave" }]);
    run.then(matched);
    same(run.state.phase, "home");
  },
  "a find that crossed with a match goes back to waiting": () => {
    const run = chat().then({ type: "waiting", accepts: "anyone" });
    same([run.state.phase, run.state.chat], ["waiting", null]);
  },
  "a step is told once, when it begins": () => {
    const run = play(first(adult), ["open"], hello, ["tag.add", { text: "jazz" }], ["start", {}], {
      type: "waiting",
      accepts: "good",
      widens: 3,
    });
    const told = () => run.effects.filter((effect) => effect.do === "say").map((effect) => effect.key);
    same(
      told().filter((key) => key.startsWith("wait.said")),
      [],
    );
    run.then({ type: "waiting", accepts: "any", widens: 7 });
    same(told(), ["wait.said.any"]);
    run.then({ type: "waiting", accepts: "any", widens: 6, others: true });
    same(told(), []);
  },
  "a line goes out once, is marked sent, and keeps its key": () => {
    const run = chat().then(says("hi"));
    const [{ id }] = run.frames;
    same(run.frames, [{ type: "message", text: "hi", id }]);
    run.then({ type: "sent", id, seq: 1 });
    same([run.state.chat.lines[0].key, run.state.chat.lines[0].state], [id, "sent"]);
  },
  "white space alone, too much, and control characters are not sent": () => {
    const run = chat().then(says("  \n "), says("x".repeat(2001)));
    same(run.frames, []);
    run.then(says("a\u0007b\ud800c\r\n"));
    same(run.frames[0].text, "ab\ufffdc");
  },
  "as many lines in three seconds as nobody types pause the field, and fewer do not": () => {
    const run = chat();
    for (const text of "abcdefghijklmnopqrst") {
      same(run.state.chat.paused, 0);
      run.now -= 990;
      run.then(says(text));
    }
    yes(run.state.chat.paused > run.now, "not paused");
    run.then(says("f"));
    same(run.frames, []);
    run.then(["timer.paused"], says("f"));
    same(run.frames.length, 1);
  },
  "after a cut, what was not taken is sent again in order and nothing twice": () => {
    const run = chat().then(says("one"), says("two"), cut, says("three"));
    same(texts(run), ["me:one:sending", "me:two:sending", "me:three:queued"]);
    run.then(["open"]);
    same(run.frames, [{ type: "resume", token: "t1", last: 0, chat: "c1" }]);
    run.then({ ...hello, token: "t2" });
    same(run.frames, []);
    run.then({ type: "resumed", chat: "c1", role: "stranger", common: [], language: "en", seq: 1, taken: 1, missed: 0 });
    same(
      run.frames.map((frame) => frame.text),
      ["two", "three"],
    );
    same(texts(run), ["me:one:sent", "me:two:sending", "me:three:sending"]);
    run.then(cut, ["open"]);
    same(run.frames[0].token, "t2");
    run.then({ ...hello, token: "t3" }, { type: "resumed", chat: "c1", seq: 3, taken: 3, missed: 0 });
    same(run.frames, []);
  },
  "what was refused while away is marked, not sent again": () => {
    const run = chat()
      .then(says("one"), says("two"), cut)
      .then(["open"], hello, { type: "resumed", chat: "c1", seq: 1, taken: 2, refused: [2], missed: 0 });
    same(
      run.frames.filter((frame) => frame.type === "message"),
      [],
    );
    same(texts(run), ["me:one:sent", "me:two:refused"]);
  },
  "a refused line can be tried again as a new one, or deleted": () => {
    const run = chat().then(says("one"));
    const [{ id }] = run.frames;
    run.then({ type: "error", code: "slow", of: "message", id }, ["retry", { key: id }]);
    yes(run.frames[0].id !== id, "same id");
    same(texts(run), ["me:one:sending"]);
    run.then(["delete", { key: run.frames[0].id }]);
    same(texts(run), []);
  },
  "a refused line that cannot go out now is not lost by trying": () => {
    const run = chat().then(says("one"));
    const [{ id }] = run.frames;
    run.then({ type: "error", code: "slow", of: "message", id }, ["leave"], ["leave"], ["retry", { key: id }]);
    same([texts(run), run.frames.length], [["me:one:refused"], 1]);
  },
  "a lost `resumed` is asked for with the same token": () => {
    const run = chat().then(cut, ["open"], { ...hello, token: "t2" }, cut, ["open"]);
    same(run.frames[0].token, "t1");
  },
  "missed messages come once, in order, and are told as one": () => {
    const run = chat().then({ type: "message", seq: 1, text: "a" }, cut, ["open"], hello, {
      type: "resumed",
      chat: "c1",
      seq: 3,
      taken: 0,
      missed: 2,
    });
    same(run.state.chat.replay, 2);
    run.then({ type: "message", seq: 1, text: "a" }, { type: "message", seq: 2, text: "b" }, { type: "message", seq: 3, text: "c" });
    same(texts(run).slice(0, 3), ["them:a:", "them:b:", "them:c:"]);
    same(run.state.chat.lines[3].values, { n: 2 });
    same(
      run.effects.filter((effect) => effect.do === "say").map((effect) => effect.key),
      ["link.back.missed"],
    );
  },
  "too late ends the chat, and says why": () => {
    const run = chat().then(cut);
    run.now += 20_000;
    run.then(["open"], hello, { type: "error", code: "no_session", of: "resume" });
    same([run.state.phase, run.state.ended.cause], ["ended", "late"]);
    const restarted = chat().then(["closed", { code: 1012 }], ["open"], hello, { type: "error", code: "no_session", of: "resume" });
    same(restarted.state.ended.cause, "restart");
    const told = chat().then({ type: "left", by: "lost" }, { type: "error", code: "restart", retry_after: 2 }, ["closed", { code: 1012 }]);
    same(told.state.ended.cause, "restart");
  },
  "a search goes on by itself after a restart": () => {
    const run = waiting().then({ type: "error", code: "restart", retry_after: 2 }, ["closed", { code: 1012 }]);
    yes(run.effects.some((effect) => effect.do === "connect" && effect.after === 2000));
    run.then(["open"], hello, { type: "error", code: "no_session", of: "resume" });
    same(
      run.frames.map((frame) => frame.type),
      ["resume", "find"],
    );
  },
  "a match made while the answer was lost is shown on the way back": () => {
    const run = waiting().then(cut, ["open"], hello, {
      type: "resumed",
      chat: "c9",
      role: "stranger",
      common: ["jazz"],
      language: "en",
      seq: 0,
      taken: 0,
      missed: 0,
    });
    same([run.state.phase, run.state.chat.id], ["chat", "c9"]);
  },
  "a search begun while away wins over the old chat": () => {
    const run = chat().then(["leave"], ["leave"], cut, ["meet"], ["open"], hello, {
      type: "resumed",
      chat: "c1",
      seq: 0,
      taken: 0,
      missed: 0,
    });
    same([run.state.phase, run.frames.at(-1).type], ["waiting", "find"]);
  },
  "leaving while the link is down is told when it is back": () => {
    const run = chat().then(cut, ["leave"], ["leave"]);
    same([run.state.phase, run.frames], ["ended", []]);
    run.then(["open"], hello, { type: "resumed", chat: "c1", seq: 0, taken: 0, missed: 0 });
    same(
      run.frames.map((frame) => frame.type),
      ["resume", "leave"],
    );
    same(run.state.phase, "ended");
  },
  "a chat that is over for the page is left if the session comes back in it": () => {
    const back = [cut, ["open"], hello, { type: "resumed", chat: "c1", seq: 0, taken: 0, missed: 0 }];
    const over = [chat().then({ type: "left", by: "stranger" }), chat().then(["leave"], ["leave"]), chat().then(["leave"], ["leave"], ["home"])];
    for (const run of over) {
      const { phase } = run.state;
      same(run.then(...back).frames, [{ type: "resume", token: "t1", last: 0 }, { type: "leave" }]);
      same(run.state.phase, phase);
    }
  },
  "a report while offline is kept, and lost aloud where nobody knows the chat": () => {
    const run = chat().then(cut, ["report", { reason: "hate" }]);
    same([run.state.ended.cause, run.frames], ["reported", []]);
    run.then(["open"], hello, { type: "error", code: "no_session", of: "resume" });
    same([run.state.notice, run.frames.map((frame) => frame.type)], ["undelivered", ["resume"]]);
    const heard = chat().then(cut, ["report", { reason: "hate" }], ["open"], hello, {
      type: "resumed",
      chat: "c1",
      seq: 0,
      taken: 0,
      missed: 0,
    });
    same(heard.frames.slice(1), [{ type: "report", reason: "hate" }, { type: "leave" }]);
  },
  "what came of a report can be read where the chat ended, and nowhere else": () => {
    const run = chat().then(["report", { reason: "spam" }], { type: "reported", receipt: "/report/r" });
    same(run.state.ended.receipt, "/report/r");
    same(chat().then({ type: "reported", receipt: "/report/r" }).state.ended, null);
  },
  "leaving takes two presses, or one where the person chose so": () => {
    const run = chat().then(["leave"]);
    same([run.state.armed, run.frames], ["leave", []]);
    run.then(["timer.armed"], ["leave"]);
    same(run.frames, []);
    run.then(["leave"]);
    same([run.state.phase, run.frames], ["ended", [{ type: "leave" }]]);
    const quick = chat().then(["pref", { name: "confirm", value: false }], ["leave"]);
    same(quick.state.phase, "ended");
  },
  "another tab, a ban and a fault of ours each have their screen, and no way back by itself": () => {
    for (const [code, phase] of [
      [4009, "replaced"],
      [4003, "refused"],
      [1009, "ended"],
      [1002, "ended"],
    ]) {
      const run = chat().then(["closed", { code }]);
      same([code, run.state.phase], [code, phase]);
      same(
        run.effects.filter((effect) => effect.do === "connect"),
        [],
      );
    }
    for (const code of [1001, 1006, 1011, 1012, 1013, 4008])
      yes(
        chat()
          .then(["closed", { code }])
          .effects.some((effect) => effect.do === "connect"),
        code,
      );
  },
  "a ban tells reason, length and appeal": () => {
    const told = { type: "error", code: "banned", until: 1796256000, reason: "hate", appeal: "/appeal", day: "2026-11-26", by: "person" };
    same(chat().then(told, ["closed", { code: 4003 }]).state.refused, told);
  },
  "a reload comes back into the chat, without the lines that only this page knew": () => {
    const run = play(first({ ...adult, me: { token: "t1", resume: true, fresh: true, online: null, grace: 15 } }), ["open"], hello, {
      type: "resumed",
      chat: "c1",
      role: "stranger",
      common: [],
      language: "en",
      seq: 4,
      taken: 2,
      missed: 2,
    });
    same([run.state.phase, run.state.chat.lines, run.state.chat.ordinal], ["chat", [], 2]);
    same(run.then(["remember", { kept: null }]).state.chat.lines[0].text, "chat.reloaded");
    run.then(says("back"));
    same(run.state.chat.ordinal, 3);
  },
  "the countdown stands still while a dialog is open, the log is scrolled up or the page is hidden": () => {
    const run = chat().then(["pref", { name: "auto", value: true }], { type: "left", by: "stranger" });
    same(run.state.ended.count, 5);
    run.then(["tick"], ["sheet", { is: "more" }], ["tick"], ["tick"]);
    same(run.state.ended.count, 4);
    run.then(
      ["close"],
      ["held", { on: true }],
      ["tick"],
      ["held", { on: false }],
      ["visible", { on: false }],
      ["tick"],
      ["visible", { on: true }],
      ["tick"],
    );
    same(run.state.ended.count, 3);
    run.then(["tick"], ["tick"], ["tick"]);
    same(run.state.phase, "waiting");
  },
  "seconds tick only while the screen counts them": () => {
    same([counts(home().state), counts(waiting().state), counts(chat().state)], [false, false, false]);
    yes(counts(waiting().then({ type: "waiting", accepts: "good", widens: 3 }).state));
    yes(counts(chat().then({ type: "partner", state: "away", within: 15 }).state));
    yes(!counts(chat().then({ type: "partner", state: "away", within: 15 }, { type: "partner", state: "back" }).state));
  },
  "a phone that wakes shows no outage for a second": () => {
    const run = chat().then(cut);
    same(bannerOf({ ...run.state, now: run.now + 500 }), null);
    yes(bannerOf({ ...run.state, now: run.now + 1500 }).text.startsWith("Reconnecting"));
  },
  "a server that wants to be told is told what the person has answered before, at once, and every time": () => {
    const told = (run) => run.frames.map((frame) => frame.adult ?? null);
    const run = play(first(adult), ["open"], hello, ["start", {}]).then({ type: "error", code: "adult", of: "find" });
    same([run.state.sheet, told(run)], [null, [true]]);
    same(told(play(first({ ...adult, config: { modes: ["text"], age: "ask", adult: true } }), ["open"], hello, ["start", {}])), [true]);
    same(told(play(first(adult), ["open"], hello, ["start", {}])), [null]);
  },
  "a server that wants the age said asks the person, and never twice in a row by itself": () => {
    const run = play(first({ ...adult, config: { modes: ["text"], age: "off" } }), ["open"], hello, ["start", {}]).then({
      type: "error",
      code: "adult",
      of: "find",
    });
    same([run.state.sheet.is, run.frames], ["age", []]);
    run.then(["age", { adult: true }]);
    same(
      run.frames.map((frame) => frame.adult),
      [true],
    );
  },
  "a server that lost its relay asks whether to go on without it": () => {
    const prefs = { ...adult.prefs, hide: true };
    const config = { modes: ["text", "video"], age: "ask", video: true, relay: true };
    const run = play(first({ prefs, config }), ["open"], hello, ["start", { mode: "video" }]);
    run.then(["media.got", { camera: true, microphone: true }], ["ready.go"]);
    same(run.frames, [{ type: "find", mode: "video", language: "en", relay: true }]);
    run.then({ type: "error", code: "no_turn", of: "find" });
    same([run.state.phase, run.state.config.relay, run.frames], ["ready", false, []]);
    run.then(["media.got", { camera: true, microphone: true }], ["ready.go"]);
    same(run.frames, [{ type: "find", mode: "video", language: "en" }]);
  },
  "what only the rest can decide waits for it, and is decided when it is here": async () => {
    const { $reduce: young } = await import(`${base}first.js?young`); // one that has not learned
    const { state } = home();
    const event = Object.freeze({ type: "discuss" });
    same(young.reduce(state, event, 1).slice(1), [{ do: "rest", event }]);
    same(young.reduce(chat().state, { type: "frame", frame: { type: "signal" } }, 1)[1].do, "rest");
    young.learn(rest);
    same(young.reduce(state, event, 1)[0].find.extra, { role: "discuss" });
    let refused = false;
    try {
      young.reduce(state, { type: "novelty" }, 1);
    } catch {
      refused = true;
    }
    yes(refused, "an event that nobody knows was taken");
  },
  "an unknown frame, an unknown error and a frame out of its time change nothing": () => {
    for (const frame of [
      { type: "novelty" },
      { type: "error", code: "novelty" },
      { type: "message", seq: 1, text: "x" },
      { type: "left", by: "stranger" },
      { type: "sent", id: "x", seq: 1 },
      { type: "toString" },
      { type: "typing", typing: true },
    ]) {
      const run = home();
      const { phase, chat: before } = run.state;
      run.then(frame);
      same([run.state.phase, run.state.chat, run.frames], [phase, before, []]);
    }
  },
  "what operators say is shown until it is withdrawn, also while the page was away": () => {
    const back = [cut, ["open"], hello, { type: "resumed", chat: null, seq: 0, taken: 0, missed: 0 }];
    const run = home().then({ type: "service", maintenance: {}, read_only: true });
    yes(bannerOf(run.state).warn);
    run.then(...back);
    same(bannerOf(run.state), null);
    const text = { id: "a1", texts: { en: "We move tonight." } };
    run.then({ type: "service", announcement: text });
    yes(bannerOf(run.state).text.includes("We move tonight."));
    run.then(["service.seen"], ...back, { type: "service", announcement: text });
    same(bannerOf(run.state), null);
    run.then({ type: "service", announcement: { ...text, id: "a2" } });
    yes(bannerOf(run.state));
  },
  "2,000 lines are kept, and a line says that the oldest are gone": () => {
    const run = chat();
    for (let seq = 1; seq <= 2001; seq += 1) run.then({ type: "message", seq, text: "x" });
    same([run.state.chat.lines.length, run.state.chat.cut, run.state.chat.lines[0].seq], [2000, true, 2]);
  },
  "reduce changes no state that it was given": () => {
    const freeze = (value) => {
      if (value && typeof value === "object") {
        Object.values(value).forEach(freeze);
        Object.freeze(value);
      }
      return value;
    };
    const run = chat();
    for (const event of [
      says("hi"),
      cut,
      says("there"),
      ["open"],
      hello,
      { type: "resumed", chat: "c1", seq: 0, taken: 0, missed: 0 },
      ["leave"],
      ["leave"],
      ["meet"],
      ["stop"],
    ]) {
      freeze(run.state);
      run.then(event);
    }
    same(run.state.phase, "home");
  },
  "the waits between tries are spread, grow, and end at 20 s": () => {
    same(
      [1, 2, 3, 4, 5, 6, 7, 50].map((attempt) => backoff(attempt, 1)),
      [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000],
    );
    same(
      [1, 2, 3, 4, 50].map((attempt) => backoff(attempt, 1, true)),
      [500, 1000, 1500, 1500, 1500], // while a chat waits for us
    );
    same(backoff(1, 0), 250);
  },
  "what turns letters around is not shown, and what cannot be seen is said": () => {
    same(clean("a\u202Eb\u2066c\u2069"), "abc");
    yes(blank("\u200b\u2060 \u3164") && !blank("👍") && !blank("ا") && !blank("."));
  },
};
