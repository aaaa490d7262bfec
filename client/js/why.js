// Explain a refused handshake: a page sees close code 1006 alone, so ask the server over HTTP (`GET /api/why`).

const ORIGIN = "the server does not take pages of this origin (its operator sets SERENDIP_SERVER__ORIGINS)";
const NAME = "its server is away, or does not know its own name (its operator sets SERENDIP_SERVER__HOSTS)";

/** Return {reason, final, after, status} of the WebSocket address `url`, which did not open. */
export async function explain(url, world = globalThis) {
  const place = new URL("/api/why", url.replace(/^ws/, "http"));
  const signal = AbortSignal.timeout(5000);
  let answer;
  try {
    answer = await world.fetch(place, { signal, cache: "no-store" });
  } catch {
    const there = await world.fetch(place, { signal, mode: "no-cors", cache: "no-store" }).catch(() => null);
    if (there?.type !== "opaque") return { reason: `no server answers at ${place.host}` };
    // Each page may read this file. Otherwise it is the answer of a proxy whose server is away, or of a server that does not know its name.
    const own = await world.fetch(new URL("/client/why.js", place), { signal, cache: "no-store" }).catch(() => null);
    return own?.ok ? { reason: ORIGIN, final: true, status: 403 } : { reason: `what answers at ${place.host} may not be read: ${NAME}` };
  }
  const told = await answer.json().catch(() => null);
  if (told?.status === 101) {
    const path = new URL(url).pathname;
    if (path !== told.path) return { reason: `there is no WebSocket at ${path}: the address ends in ${told.path}`, final: true, status: 404 };
    return { reason: "the server would accept it now; if this goes on, a proxy between here and there does not pass on WebSockets" };
  }
  if (told?.status) return { reason: told.reason, final: told.final, after: told.retry_after, status: told.status };
  if (answer.ok) return { reason: `no server of this kind answers at ${place.host}` }; // or its answer was cut
  const after = Number(answer.headers.get("Retry-After")) || undefined;
  return { reason: `refused with ${answer.status}`, final: [403, 421].includes(answer.status), after, status: answer.status };
}
