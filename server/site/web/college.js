// College mode's way outside: the three requests, and the proof that this browser keeps.
// What an answer means is reduce/asking.js's business.
import { get, send } from "./store.js";

const PLACE = "serendip.college";

function attempt(act) {
  try {
    return act();
  } catch {
    return null; // storage is refused: the proof lives as long as the page
  }
}

/** A proof that was kept and has not run out. */
export function recallCollege() {
  const kept = attempt(() => JSON.parse(localStorage.getItem(PLACE)));
  const sound = kept && typeof kept.domain === "string" && typeof kept.proof === "string" && kept.expires * 1000 > Date.now();
  return sound ? { domain: kept.domain, proof: kept.proof, expires: kept.expires, want: kept.want === "same" ? "same" : "any" } : null;
}

let check = ""; // which the server gave with the mail: of several hosts it leads to the one that wrote it

async function asked(op, body) {
  const answer = await fetch(`/api/college/${op}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(op === "mail" ? body : { ...body, check }),
  });
  const said = await answer.json().catch(() => ({}));
  check = said.check ?? check;
  return { ok: answer.ok, body: said };
}

/** `op`: mail, code, claim ask the server; keep and forget are this browser's. */
export function act({ op, body }) {
  if (op === "keep") {
    const { prefs, college } = get();
    attempt(() => (prefs.nothing || !college ? localStorage.removeItem(PLACE) : localStorage.setItem(PLACE, JSON.stringify(college))));
    return;
  }
  asked(op, body ?? {})
    .then((answer) => send("college.answer", { op, ...answer }))
    .catch(() => send("college.answer", { op, ok: false, body: { error: "network" } }));
}
