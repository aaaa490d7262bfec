// The keys of the work on cases: 1 to 7 choose, Enter decides (on a list: opens the first), N gives back, U takes back.
// Who types or chooses in a field types; every key has its button. A keyboard whose keys say something else (Cyrillic, Arabic, digits
// that need Shift) has them in the same places.
const decide = document.getElementById("decide");
const typing = (target) => target.matches("textarea, select, input:not([type=radio])");
const forms = { n: "release", u: "undo" };
const keyOf = ({ key, code, shiftKey }) =>
  /^[a-z0-9]$/i.test(key) || shiftKey ? key.toLowerCase() : (/^(?:Key|Digit)(.)$/.exec(code)?.[1] ?? key).toLowerCase();

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing(event.target)) return;
  const key = keyOf(event);
  if (decide && /^[1-7]$/.test(key)) {
    const radio = decide.querySelectorAll("[name=choice]")[Number(key) - 1];
    if (radio) {
      radio.checked = true;
      radio.focus();
    }
  } else if (key === "enter" && !event.target.matches("a, button, summary")) {
    (decide ?? document.getElementById("next"))?.requestSubmit();
  } else if (document.getElementById(forms[key])) {
    document.getElementById(forms[key]).requestSubmit();
  } else return;
  event.preventDefault();
});

// A decision is sent once.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

const undo = document.querySelector("form.undo");
if (undo) setTimeout(() => undo.remove(), Number(undo.dataset.left) * 1000);
