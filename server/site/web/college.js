// Send college mode's three requests, and keep the proof in this browser. reduce/asking.js decides what an answer means.
import { get, send } from "./store.js";

const PLACE = "serendip.college";

function attempt(act) {
  try {
    return act();
  } catch {
    return null; // storage is refused: the proof lives as long as the page
  }
}

/** Read a stored proof that has not expired. */
export function recallCollege() {
  const kept = attempt(() => JSON.parse(localStorage.getItem(PLACE)));
  const sound = kept && typeof kept.domain === "string" && typeof kept.proof === "string" && kept.expires * 1000 > Date.now();
  return sound ? { domain: kept.domain, proof: kept.proof, expires: kept.expires, want: kept.want === "same" ? "same" : "any" } : null;
}

let check = ""; // sent by the server with the mail: in a cluster it leads to the host that has the check

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

/** Carry out an effect. `op`: mail, code and claim are requests; keep and forget concern this browser. */
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
