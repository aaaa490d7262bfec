// What the browser keeps: choices in localStorage under one name, the way back into a chat in sessionStorage (this tab only).
// Where storage is refused, or "Keep nothing" is on, nothing is written and all lives in memory.

import { BOUNDS } from "./protocol.js";

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
  "adult",
  "minor",
  "statement",
  "blur",
  "hide",
  "letters",
  "avoid",
];

function attempt(act, otherwise = null) {
  try {
    return act();
  } catch {
    return otherwise; // SecurityError or QuotaExceededError: storage is refused, and that is a fine answer
  }
}

const json = (text) => attempt(() => JSON.parse(text), null);

/** Can anything be kept here? */
export const allowed = () => attempt(() => (localStorage.setItem(`${NAME}.try`, ""), localStorage.removeItem(`${NAME}.try`), true), false);

const fit = (tag) => typeof tag === "string" && tag.length <= BOUNDS.interestRaw;

/** What was kept, without anything of a wrong shape. */
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

export const keep = (prefs) =>
  attempt(() => {
    const kept = prefs.nothing ? { nothing: true } : Object.fromEntries(KEPT.map((name) => [name, prefs[name]]));
    localStorage.setItem(NAME, JSON.stringify(kept));
  });

export const wayBack = () => json(attempt(() => sessionStorage.getItem(WAY)));
export const keepWay = (token) =>
  attempt(() => (token ? sessionStorage.setItem(WAY, JSON.stringify({ token })) : sessionStorage.removeItem(WAY)));

/** Everything that this page ever wrote here, and, by the server, its cookie. */
export const forget = () =>
  attempt(() => {
    for (const store of [localStorage, sessionStorage])
      for (const name of Object.keys(store)) if (name.startsWith(NAME)) store.removeItem(name);
  });

/** Is there a proof of a college? What it is worth is college.js's to say, which is fetched only then. */
export const keptCollege = () => attempt(() => localStorage.getItem("serendip.college") !== null, false);
