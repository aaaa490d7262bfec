// What the server offers. Where it cannot be asked the page shows what is always there, and asks again as soon as there is a link.

const offline = { modes: ["text"], age: "ask", missing: true };

export async function offers() {
  try {
    const answer = await fetch("/api/config");
    return answer.ok ? await answer.json() : offline;
  } catch {
    return offline; // no network: the shell from the cache says so
  }
}
