// Fetch what the server offers. If it cannot be reached the page shows what is always available, and asks again once it is connected.

const offline = { modes: ["text"], age: "ask", missing: true };

export async function offers() {
  try {
    const answer = await fetch("/api/config");
    return answer.ok ? await answer.json() : offline;
  } catch {
    return offline; // no network: the shell from the cache shows that
  }
}
