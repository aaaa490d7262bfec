// Handle translations of lines into the language of the page: requested, in progress, done; the original stays in the line, one press away.
//
//   line.other   {is: busy | done | same | failed, text, from, to, shown, why}
//   chat.every   true: each line is translated; false: only on request; undefined: not asked yet
//   chat.asking  the key of the line with the question about all lines, once a chat        chat.fetched  per cent of a model that is loaded, or null
import { patch } from "./state.js";

const BACK = 20; // lines that are translated when all are wanted: a reader has these before them

/** Whether a line may be translated: written by another, with letters. */
export const wordy = ({ from, text }) => from !== "me" && from !== "note" && /\p{L}/u.test(text);

const set = (state, key, other) =>
  patch(state, "chat", { lines: state.chat.lines.map((entry) => (entry.key === key ? { ...entry, other: other(entry) } : entry)) });

const found = ({ chat }, key) => chat?.lines.find((entry) => entry.key === key);

function translate(state, { key }) {
  const entry = found(state, key);
  if (!entry || !wordy(entry) || entry.other?.is === "busy") return [state];
  const { language } = state.chat;
  const asked = { key, text: entry.text, from: language === "*" ? null : language, to: state.reads };
  return [set(state, key, () => ({ is: "busy" })), { do: "translate", ...asked }];
}

function translated(state, { key, text, from, to }) {
  if (found(state, key)?.other?.is !== "busy") return [state];
  const next = set(patch(state, "chat", { fetched: null }), key, () => ({ is: "done", text, from, to, shown: true }));
  return [next.chat.every === undefined && !next.chat.asking ? patch(next, "chat", { asking: key }) : next];
}

/** Handle a failure. `why`: same, language, slow, away, press. */
function failed(state, { key, why }) {
  if (found(state, key)?.other?.is !== "busy") return [state];
  return [set(patch(state, "chat", { fetched: null }), key, () => (why === "same" ? { is: "same" } : { is: "failed", why }))];
}

export const translatingEvents = {
  translate,
  translated,
  "translated.not": failed,
  "translated.part": (state, { n }) => [state.chat ? patch(state, "chat", { fetched: n }) : state],
  "translated.show": (state, { key, on }) => [found(state, key)?.other ? set(state, key, ({ other }) => ({ ...other, shown: on })) : state],
  "translate.every": (state, { on }) => [state.chat ? patch(state, "chat", { every: on }) : state],
};

/** Translate the oldest untranslated one of the last lines, one after another, if all are wanted. */
export function followLines(before, result) {
  const [state, ...effects] = result;
  const { chat } = state;
  if (!chat?.every || (before.chat === chat && before.phase === state.phase)) return result;
  const lines = chat.lines.slice(-BACK);
  if (lines.some(({ other }) => other?.is === "busy")) return result;
  const next = lines.find((entry) => !entry.other && wordy(entry));
  if (!next) return result;
  const [after, ...more] = translate(state, next);
  return [after, ...effects, ...more];
}
