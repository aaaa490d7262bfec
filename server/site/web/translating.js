// Translate lines by the browser's own translator, whose text stays on the device; without one, by the server, if it offers that. The
// browser loads a model once, with progress. Only translators that are ready are kept, for this visit.
import { partsOf } from "./parts/said.js";
import { get, send } from "./store.js";

const SURE = 0.5; // confidence of a detected language; below it the chat language of the stranger is the better guess
const READY = 4; // translators that stay ready: a pair of languages each
const SILENT = 8000; // ms without progress of a model that is loaded: some browsers never say that they may not
const PATIENT = 5; // seconds that a line waits by itself if requests to the server come too fast

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

/** Wait for the answer of a browser about its models; some never answer, and are given up like a model without progress. */
const heard = (answer) =>
  Promise.race([answer, new Promise((_, failed) => setTimeout(() => failed(new Not("away")), SILENT))]);

/** Return what `create` makes. The progress of its model is reported; without progress it is given up. */
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

/** Return the language of a text as detected by the browser; null if it does not know. A model is loaded for it only if there is no guess. */
async function detected(text, guess) {
  if (!("LanguageDetector" in self)) return null;
  const there = await heard(LanguageDetector.availability()).catch(() => "unavailable");
  if (there === "unavailable" || (there !== "available" && guess)) return null;
  detector ??= made((more) => LanguageDetector.create(more));
  try {
    const [first] = await (await detector).detect(text);
    return first?.confidence >= SURE && first.detectedLanguage !== "und" ? primary(first.detectedLanguage) : null;
  } catch {
    detector = null; // it may work the next time
    return null;
  }
}

const ready = new Map(); // "de en" → a promise of a translator
const silent = new Set(); // pairs that were given up in this visit: if the server can translate, they are not tried again

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
    throw new Not(error.name === "NotAllowedError" ? "press" : "away"); // a model is loaded only after a press
  });
}

/** Translate by the browser; null if it cannot. */
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
  const { quote, text } = partsOf(said); // the quoted text was written here before
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
