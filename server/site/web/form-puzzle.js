// Solve the puzzle of a form (server/trust/challenge/form_puzzle.py) while it is filled in; a form that is sent earlier waits for it.
{
  const field = document.getElementById("solution");
  const told = document.getElementById("puzzle-told");
  const { form } = field;
  const PAUSE = 10; // tries between two pauses, in which the page can be used

  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const hex = (found) => Array.from(new Uint8Array(found), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const solve = async (challenge) => {
    const { nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
    const began = bytes(nonce);
    const password = new Uint8Array(began.length + 4);
    password.set(began);
    const rounds = { name: "PBKDF2", salt: bytes(salt), iterations: cost, hash: "SHA-256" };
    for (let counter = 0; ; counter += 1) {
      new DataView(password.buffer).setUint32(began.length, counter);
      const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const derivedKey = hex(await crypto.subtle.deriveBits(rounds, key, keyLength * 8));
      if (derivedKey.startsWith(keyPrefix)) return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
      if (counter % PAUSE === 0) await new Promise((go) => setTimeout(go));
    }
  };

  let sent = false;
  const wait = (event) => {
    if (field.value) return;
    event.preventDefault();
    sent = true;
    told.textContent = told.dataset.waits;
  };
  form.addEventListener("submit", wait);
  solve(JSON.parse(field.dataset.puzzle))
    .then((response) => {
      field.value = response;
      told.textContent = "";
      if (sent) form.requestSubmit();
    })
    .catch(() => {
      form.removeEventListener("submit", wait); // no WebCrypto: the server's answer says what else can be done
      told.textContent = told.dataset.none;
    });
}
