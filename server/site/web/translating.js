// Translations: by the browser's own translator, whose text leaves this device for nobody; where there is none, by the server's, if it has one.
// A model is fetched once, by the browser, and that is told. Nothing is kept here but translators that are ready, for this visit.
import { partsOf } from "./parts/said.js";
import { get, send } from "./store.js";

const SURE = 0.5; // of what the browser takes a text for; below it the language that the stranger chat in is the better guess
const READY = 4; // translators that stay ready: a pair of languages each
const SILENT = 8000; // ms without a word of a model that is to be fetched: some browsers never say that they may not
const PATIENT = 5; // seconds that a line waits by itself where the server is asked too fast

/** Names by which a browser may know a language. */
const SPELT = { nb: ["nb", "no"], no: ["no", "nb"], iw: ["he", "iw"], he: ["he", "iw"] };
const spelt = (tag) => SPELT[tag] ?? [tag];
const primary = (tag) => tag.split("-")[0].toLowerCase();
const same = (one, other) => spelt(primary(one)).includes(primary(other));

class Not extends Error {
  constructor(why) {
    super(why);
    this.why = why;
  }
}

/** What a browser answers of what it has; some never do, and are given up as a model is of which nothing is heard. */
const heard = (answer) =>
  Promise.race([answer, new Promise((_, failed) => setTimeout(() => failed(new Not("away")), SILENT))]);

/** What `create` makes. How much of its model is there is told; where nothing is heard of it any more it is given up. */
function made(create) {
  const given = new AbortController();
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => given.abort(), SILENT);
  };
  const monitor = (model) =>
    model.addEventListener("downloadprogress", ({ loaded }) => {
      wait();
      send("translated.part", { n: Math.round(loaded * 100) });
    });
  wait();
  return new Promise((done, failed) => {
    given.signal.addEventListener("abort", () => failed(new Not("away")));
    create({ monitor, signal: given.signal }).then(done, failed);
  }).finally(() => clearTimeout(timer));
}

let detector = null;

/** The language of a text, as the browser finds it; null where it does not know. A model is fetched for it where there is no guess. */
async function detected(text, guess) {
  if (!("LanguageDetector" in self)) return null;
  const there = await heard(LanguageDetector.availability()).catch(() => "unavailable");
  if (there === "unavailable" || (there !== "available" && guess)) return null;
  detector ??= made((more) => LanguageDetector.create(more));
  try {
    const [first] = await (await detector).detect(text);
    return first?.confidence >= SURE && first.detectedLanguage !== "und" ? primary(first.detectedLanguage) : null;
  } catch {
    detector = null; // it may be had the next time
    return null;
  }
}

const ready = new Map(); // "de en" → a promise of a translator
const silent = new Set(); // pairs that were given up in this visit: where the server can, it is not waited for again

async function translator(from, to) {
  const pair = `${from} ${to}`;
  if (silent.has(pair) && get().config.translation) return null;
  if (!ready.has(pair)) {
    for (const source of spelt(from)) {
      for (const target of spelt(to)) {
        const languages = { sourceLanguage: source, targetLanguage: target };
        if (ready.has(pair)) continue;
        const there = await heard(Translator.availability(languages)).catch((error) => {
          silent.add(pair);
          throw error;
        });
        if (there === "unavailable") continue;
        ready.set(pair, made((more) => Translator.create({ ...languages, ...more })));
      }
    }
  }
  const [oldest] = ready.keys();
  if (ready.size > READY) {
    void ready.get(oldest).then((one) => one.destroy?.(), () => {});
    ready.delete(oldest);
  }
  return ready.get(pair)?.catch((error) => {
    ready.delete(pair);
    silent.add(pair);
    throw new Not(error.name === "NotAllowedError" ? "press" : "away"); // a model is fetched for a press alone
  });
}

/** Null: this browser cannot. */
async function byBrowser({ text, from, to }) {
  if (!("Translator" in self)) return null;
  const source = (await detected(text, from)) ?? from;
  if (!source) return null;
  if (same(source, to)) throw new Not("same");
  const one = await translator(source, to);
  return one ? { text: await one.translate(text), from: source } : null;
}

const WHY = { 422: "language", 429: "slow" };

async function byServer({ text, from, to }, patient = true) {
  const body = JSON.stringify({ token: get().me.token, text, to, ...(from ? { from } : {}) });
  const answer = await fetch("/api/translate", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  const said = await answer.json();
  if (answer.ok && same(said.from, to)) throw new Not("same");
  if (answer.ok) return said;
  if (answer.status === 429 && patient && said.wait <= PATIENT) {
    await new Promise((done) => setTimeout(done, said.wait * 1000));
    return byServer({ text, from, to }, false);
  }
  throw new Not(WHY[answer.status] ?? "away");
}

export async function act({ key, text: said, from, to }) {
  const { quote, text } = partsOf(said); // what they quote was said here before
  const asked = { text: quote ? text : said, from, to };
  try {
    const there = get().config.translation;
    const own = await byBrowser(asked).catch((error) => {
      if (error.why === "same" || !there) throw error;
      return null;
    });
    const found = own ?? (there ? await byServer(asked) : null);
    if (!found) throw new Not("language");
    send("translated", { key, text: found.text, from: found.from, to });
  } catch (error) {
    send("translated.not", { key, why: error instanceof Not ? error.why : "away" });
  }
}
