// Handle the other ways to meet: ask and watch, discuss, students; their dialogs, and the answers of the server.
import { BOUNDS } from "../client/protocol.js";
import { whole } from "../text.js";
import { seek } from "./find.js";
import { meant } from "./sheets.js";
import { end } from "./talk.js";
import { and, focus, patch, post, say } from "./state.js";

const points = (text) => [...text].length;

function ask(state, { question, share }, now) {
  const text = whole(question)
    .replace(/\p{Cc}+/gu, " ")
    .trim();
  if (points(text) < BOUNDS.questionMin || points(text) > BOUNDS.question)
    return [patch(state, "sheet", { wrong: true, question }), focus("#question")];
  return seek(state, { interests: [], extra: { role: "spy", question: text, ...(share ? { share: true } : {}) } }, now);
}

const discuss = (state, _, now) => seek(state, { interests: [], extra: { role: "discuss" } }, now);

/** Stop watching: the two are not notified, and their chat continues. */
const unwatch = (state, _, now) =>
  state.phase === "chat" ? and(post(state, { type: "leave" }), (next) => end(next, "watched", now)) : [state];

/** Repeat the search: the same question, or another to discuss. */
const again = (state, event, now) =>
  state.phase === "ended" && !meant(state, event, now) ? [state] : seek(state, { interests: [], extra: state.find?.extra ?? { role: "discuss" } }, now);

// students

const request = (state, op, body) => [patch(state, "sheet", { busy: op, problem: null }), { do: "college", op, body }];

const FIELD = { mail: "#college-address", code: "#college-code" };

function answer(state, { op, ok, body }) {
  if (ok && body.proof) {
    const college = { domain: body.domain, proof: body.proof, expires: body.expires, want: state.college?.want ?? "any" };
    const next = { ...state, college, sheet: state.sheet?.is === "college" ? { is: "college" } : state.sheet };
    return [next, say("college.in", { college: college.domain }), { do: "college", op: "keep" }, focus("#college-start")];
  }
  if (state.sheet?.is !== "college" || (op === "claim" && !ok)) return [state];
  if (ok) return [patch(state, "sheet", { busy: null, step: "code", domain: body.domain }), say("college.sent"), focus(FIELD.code)];
  const gone = body.error === "expired";
  const change = { busy: null, problem: body.error ?? "network", figure: body.tries ?? body.wait ?? 0, ...(gone ? { step: null } : {}) };
  return [patch(state, "sheet", change), focus(gone ? FIELD.mail : FIELD[op])];
}

const students = (state, { mode = "text" }, now) =>
  state.college ? seek(state, { mode, extra: { college: state.college.want, proof: state.college.proof } }, now) : [state];

/** Handle a proof that the server refuses (any more). */
const collegeLost = (state) => [
  { ...state, phase: "home", find: null, waiting: null, college: null, sheet: { is: "college", problem: "lost" } },
  { do: "college", op: "keep" },
];

export const askingEvents = {
  ask,
  discuss,
  again,
  unwatch,
  "college.over": collegeLost,
  "college.kept": (state, { college }) => [{ ...state, college }],
  "college.mail": (state, { address }) => request(state, "mail", { address }),
  "college.code": (state, { code }) => request(state, "code", { code }),
  "college.claim": (state) =>
    state.sheet?.is === "college" && state.sheet.step === "code" ? [state, { do: "college", op: "claim" }] : [state],
  "college.answer": answer,
  "college.want": (state, { want }) => [patch(state, "college", { want }), { do: "college", op: "keep" }],
  "college.start": students,
  "college.forget": (state) => [
    { ...state, college: null, sheet: { is: "college" } },
    { do: "college", op: "keep" },
  ],
};
