// Forms with data-passkey="get" or "create": asks the browser for the passkey, puts what it says into the field `passkey`, and sends.
// Their button is off until this runs: pressed before, it would send the form without one.
const asks = {
  get: (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
  create: (options) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const problem = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return; // it asks already
    button.setAttribute("aria-disabled", "true");
    problem.hidden = true;
    try {
      const found = await asks[form.dataset.passkey](JSON.parse(form.dataset.options));
      form.elements.passkey.value = JSON.stringify(found.toJSON());
      form.submit();
    } catch {
      problem.hidden = false;
      button.removeAttribute("aria-disabled");
    }
  });
  button.disabled = false;
  if (document.activeElement.contains(form)) button.focus(); // nobody went elsewhere meanwhile
}
