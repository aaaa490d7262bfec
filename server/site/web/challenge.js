// Solve the puzzle of a challenge in workers. **Invariant:** it uses no data of the user or device, and stores nothing.
import { send } from "./store.js";

const WORKERS = 2;
const MOST = { 1: 120, 2: 750, 3: 2000 }; // tries by level (server/trust/challenge/altcha_puzzles.py), for the progress
const STEP = 200; // ms between two readings of the clock
const SCRIPT = new URL("./vendor/pbkdf2.js", import.meta.url).href;
let workers = [];
let ticking = 0;

function stop() {
  clearInterval(ticking);
  for (const worker of workers) worker.terminate();
  workers = [];
}

/** Measure how many ms one try takes here. */
async function pace({ cost }) {
  const key = await crypto.subtle.importKey("raw", new Uint8Array(20), "PBKDF2", false, ["deriveBits"]);
  const began = performance.now();
  for (let tries = 0; tries < 3; tries += 1)
    await crypto.subtle.deriveBits({ name: "PBKDF2", salt: new Uint8Array(16), iterations: cost, hash: "SHA-256" }, key, 256);
  return (performance.now() - began) / 3;
}

/** Report progress: tries made of the tries expected, never all of them before the solution. */
function watch(parameters, each) {
  const began = performance.now();
  const all = ((MOST[parameters.data?.l] ?? MOST[3]) * each) / WORKERS;
  ticking = setInterval(() => send("check.part", { part: Math.min(0.95, (performance.now() - began) / all) }), STEP);
}

const search = (worker, challenge, counterStart) =>
  new Promise((found, failed) => {
    worker.onmessage = ({ data }) => (data && !data.error ? found(data) : failed(new Error("not solved")));
    worker.onerror = failed;
    worker.postMessage({ type: "work", challenge, counterStart, counterStep: WORKERS });
  });

async function solve(challenge, trusted) {
  stop();
  watch(challenge.parameters, await pace(challenge.parameters));
  workers = Array.from({ length: WORKERS }, () => new Worker(trusted(SCRIPT)));
  const solution = await Promise.any(workers.map((worker, at) => search(worker, challenge, at)));
  return btoa(JSON.stringify({ challenge, solution }));
}

/** Carry out an effect. `trusted` says which scripts may run (app.js). */
export function act({ op, challenge }, trusted) {
  if (op === "stop") return stop();
  return solve(challenge, trusted)
    .then((response) => send("check.done", { response, of: challenge.signature }))
    .catch(() => send("check.failed"))
    .finally(stop);
}
