// Fetch what the server offers. If it cannot be reached the page shows what is always available, and asks again once it is connected.

import { callIt } from "./words.js";

const offline = { modes: ["text"], age: "ask", missing: true };

export async function offers() {
  try {
    const answer = await fetch("/api/config");
    if (!answer.ok) return offline;
    const config = await answer.json();
    callIt(config.name);
    return config;
  } catch {
    return offline; // no network: the shell from the cache shows that
  }
}
