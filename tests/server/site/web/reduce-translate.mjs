// Tables of events for lines in another language.
import { adult, chat, home, matched, play, same, yes } from "./reduce.mjs";

const base = document.querySelector("meta[name=base]").content;
const { tongueOf } = await import(`${base}views/chat.js`);

const theirs = { ...matched, language: "de" };
const line = (seq, text = `Satz ${seq}`) => ({ type: "message", seq, text });
const talk = (...more) => home().then(["start", { mode: "text" }], theirs, ...more);
const others = (run) => run.state.chat.lines.map(({ other }) => other);
const asked = (run) => run.effects.filter((effect) => effect.do === "translate").map(({ key }) => key);
const done = (key, text = "sentence") => ["translated", { key, text, from: "de", to: "en" }];

export const cases = {
  "who takes any language says which they write, and nobody else does": () => {
    const written = (language) =>
      home().then(["pref", { name: "language", value: language }], ["start", { mode: "text" }]).frames.map(({ writes }) => writes ?? null);
    same([written("*"), written("de"), written("en")], [["en"], [null], [null]]);
    const reads = home().then(["reads", { language: "ja" }], ["pref", { name: "language", value: "*" }], ["start", {}]);
    same(reads.frames[0].writes, "ja");
    const widened = home().then(["pref", { name: "language", value: "nb" }], ["start", {}]).then(["widen"]);
    same([widened.frames[0].language, widened.frames[0].writes], ["*", "nb"]);
  },
  "a line is asked for once, from the language of the chat into that of the page": () => {
    const run = talk(line(1), ["translate", { key: "s1" }]);
    same(run.effects.slice(-1), [{ do: "translate", key: "s1", text: "Satz 1", from: "de", to: "en" }]);
    same(run.then(["translate", { key: "s1" }]).effects, []);
    const unknown = home().then(["start", {}], { ...theirs, language: "*" }, line(1), ["translate", { key: "s1" }]);
    same(unknown.effects.at(-1).from, null);
  },
  "its original stays, and is a press away": () => {
    const run = talk(line(1), ["translate", { key: "s1" }], done("s1"));
    same(others(run), [{ is: "done", text: "sentence", from: "de", to: "en", shown: true }]);
    same(run.state.chat.lines[0].text, "Satz 1");
    same(others(run.then(["translated.show", { key: "s1", on: false }]))[0].shown, false);
    same(run.state.chat.lines[0].text, "Satz 1");
  },
  "what was not asked for, or comes twice, changes nothing": () => {
    const run = talk(line(1), done("s1"), done("none"), ["translated.not", { key: "s1", why: "away" }], ["translate", { key: "none" }]);
    same(others(run), [null].map(() => undefined));
    run.then(["translate", { key: "s1" }], done("s1"), done("s1", "another"));
    same(others(run)[0].text, "sentence");
    same(play(run.state, ["translated.part", { n: 5 }]).state.chat.fetched, 5);
    same(home().then(done("s1"), ["translated.part", { n: 5 }], ["translate.every", { on: true }]).state.chat, null);
  },
  "one's own lines, notes and what has no letters are never translated": () => {
    const run = talk(["say", { text: "mine" }], line(1, "⛵ 12"));
    for (const { key } of run.state.chat.lines) same(run.then(["translate", { key }]).effects, []);
  },
  "it is asked once a chat whether all are wanted, under the first": () => {
    const run = talk(line(1), line(2), ["translate", { key: "s2" }], done("s2"), ["translate", { key: "s1" }], done("s1"));
    same(run.state.chat.asking, "s2");
    run.then(["translate.every", { on: false }], line(3));
    same([run.state.chat.every, asked(run)], [false, []]);
    const said = talk(line(1), ["translate.every", { on: true }], done("s1"));
    same(said.state.chat.asking ?? null, null);
  },
  "where all are wanted each line is asked for after the one before": () => {
    const run = talk(line(1), line(2), ["translate.every", { on: true }]);
    same(asked(run), ["s1"]);
    same(asked(run.then(line(3))), []);
    same(asked(run.then(done("s1"))), ["s2"]);
    same(asked(run.then(["translated.not", { key: "s2", why: "away" }])), ["s3"]); // what failed is asked for by a press alone
    same(asked(run.then(done("s3"))), []);
    same(asked(run.then(["translate", { key: "s2" }])), ["s2"]);
    same(asked(run.then(["translate.every", { on: false }], done("s2"), line(4))), []);
    same(chat().then(line(1)).state.chat.every ?? null, null);
  },
  "nothing waits in front of the last lines": () => {
    const many = Array.from({ length: 30 }, (_, at) => line(at + 1));
    same(asked(talk(...many, ["translate.every", { on: true }])), ["s11"]);
  },
  "the next chat knows nothing of it": () => {
    const run = talk(line(1), ["translate.every", { on: true }]).then(["next", { sure: true }], { ...theirs, chat: "c2" }, line(1));
    same([run.state.chat.id, run.state.chat.every ?? null, asked(run)], ["c2", null, []]);
  },
  "a translation is offered where the language is another or is not known, and somebody can do it": () => {
    const of = (language, more = {}) => tongueOf({ ...home().state, ...more, chat: { language } });
    const can = { can: { translate: true } };
    same([of("de"), of("de", can), of("en", can), of("*", can)], [null, "de", null, "*"]);
    same(of("de", { config: { translation: true } }), "de");
    same(of("de", { ...can, prefs: { ...adult.prefs, language: "de" } }), null);
    same(of("en", { ...can, reads: "de", prefs: { ...adult.prefs, language: "*" } }), "en");
    same(of("*", { ...can, prefs: { ...adult.prefs, language: "*" } }), "*");
    yes(of(null, can) === null);
  },
};
