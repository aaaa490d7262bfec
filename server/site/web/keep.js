// Keep choices in localStorage under one name, and the resume token of a chat in sessionStorage (this tab only). If storage is refused, or
// "Keep nothing" is on, nothing is written and everything stays in memory.

import { good } from "./pairs.js";
import { BOUNDS } from "./client/protocol.js";

const NAME = "serendip";
const WAY = "serendip.way";
const KEPT = [
  "tags",
  "language",
  "words",
  "theme",
  "size",
  "sounds",
  "called",
  "notify",
  "auto",
  "confirm",
  "sure",
  "adult",
  "minor",
  "statement",
  "hush",
  "hide",
  "letters",
  "avoid",
  "pairs",
];

function attempt(act, otherwise = null) {
  try {
    return act();
  } catch {
    return otherwise; // SecurityError or QuotaExceededError: storage is refused, which is allowed
  }
}

const json = (text) => attempt(() => JSON.parse(text), null);

/** Whether the browser allows storage. */
export const allowed = () => attempt(() => (localStorage.setItem(`${NAME}.try`, ""), localStorage.removeItem(`${NAME}.try`), true), false);

const fit = (tag) => typeof tag === "string" && tag.length <= BOUNDS.interestRaw;

/** Read the stored values, without those of a wrong shape. */
export function recall(defaults) {
  const kept = json(attempt(() => localStorage.getItem(NAME))) ?? {};
  const known = {};
  for (const [name, usual] of Object.entries(defaults)) {
    const value = kept[name];
    if (Array.isArray(usual))
      known[name] = Array.isArray(value) ? value.filter(fit).slice(0, BOUNDS.interests) : usual;
    else known[name] = typeof value === typeof usual ? value : usual;
  }
  return known;
}

/** Return the pairs or avoided users to store: those that are stored, since another tab may have changed them, with the change of this one. */
function listOf(name, prefs, { added = [], dropped = [], before = false } = {}) {
  const stored = json(localStorage.getItem(NAME)) ?? {};
  if (stored.nothing) return prefs[name];
  const others = keptList(stored, name).filter((entry) => ![...added, ...dropped].includes(entry));
  return (before ? [...added, ...others] : [...others, ...added]).slice(-BOUNDS[name]);
}

const keptList = (stored, name) => {
  const fitting = (Array.isArray(stored[name]) ? stored[name] : []).filter(fit);
  return name === "pairs" ? good(fitting, Date.now()) : fitting;
};

/** Return the avoided users in the value that another tab stored; null if it keeps nothing. */
export function avoidIn(value) {
  const stored = json(value) ?? {};
  return stored.nothing ? null : keptList(stored, "avoid").slice(-BOUNDS.avoid);
}

/** Store the choices. `change`: what was `added` to `pairs` and `avoid`, at the end or `before` the others, and what was `dropped`. */
export const keep = (prefs, change = {}) =>
  attempt(() => {
    const kept = prefs.nothing
      ? { nothing: true }
      : { ...Object.fromEntries(KEPT.map((name) => [name, prefs[name]])), ...lists(prefs, change) };
    localStorage.setItem(NAME, JSON.stringify(kept));
  });

const lists = (prefs, change) => Object.fromEntries(["pairs", "avoid"].map((name) => [name, listOf(name, prefs, change[name])]));

export const wayBack = () => json(attempt(() => sessionStorage.getItem(WAY)));
export const keepWay = (token) =>
  attempt(() => (token ? sessionStorage.setItem(WAY, JSON.stringify({ token })) : sessionStorage.removeItem(WAY)));

/** Delete everything that this page ever stored here, and, by the server, its cookie. */
export const forget = () =>
  attempt(() => {
    for (const store of [localStorage, sessionStorage])
      for (const name of Object.keys(store)) if (name.startsWith(NAME)) store.removeItem(name);
  });

/** Whether a proof of a college is stored; college.js, which is loaded only then, checks it. */
export const keptCollege = () => attempt(() => localStorage.getItem("serendip.college") !== null, false);
