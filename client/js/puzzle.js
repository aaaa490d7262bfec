// Solve a proof-of-work puzzle: ALTCHA version 2, PBKDF2 (docs/protocol.md, "Challenges"). Loaded when a server asks for one.

const COST = 20_000; // rounds of a try; a Serendip server requires 5,000
const TRIES = 10_000; // a Serendip server requires 2,000 at most

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Return the response to a challenge's `parameters`; null if it cannot be solved here, or `stale()`. */
export async function solve(challenge, stale) {
  const { algorithm, cost, keyLength, nonce, salt, keyPrefix } = challenge.parameters;
  const hash = /^PBKDF2\/(SHA-(?:256|384|512))$/.exec(algorithm)?.[1];
  const { subtle } = globalThis.crypto ?? {}; // a page over plain http from another host has none
  if (!subtle || !hash || !(cost > 0 && cost <= COST && keyLength > 0 && keyLength <= 64)) return null;
  const [start, from, wanted] = [bytes(nonce), bytes(salt), keyPrefix.toLowerCase()];
  const password = new Uint8Array(start.length + 4);
  password.set(start);
  for (let counter = 0; counter < TRIES && !stale(); counter += 1) {
    new DataView(password.buffer).setUint32(start.length, counter);
    const key = await subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = hex(await subtle.deriveBits({ name: "PBKDF2", salt: from, iterations: cost, hash }, key, keyLength * 8));
    if (derivedKey.startsWith(wanted)) return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
  }
  return null;
}
