// The keys of the work on cases: R and a digit choose the rule, a digit alone chooses the decision, Enter decides (on a list: opens the first), N
// releases, U undoes, Q opens the next queue that has cases (from a case: its queue), B opens the cases that began alike, L translates, C comments, P
// passes on, T chooses a saved answer, / searches. Escape leaves a field, Ctrl+Enter in a field decides. In a field all keys are text; every key has
// its button or its field. A keyboard with other letters (Cyrillic, Arabic, digits that need Shift) has the keys in the same places.
const decide = document.getElementById("decide");
const typing = (target) => target.matches("textarea, select, input:not([type=radio], [type=checkbox])");
const forms = { n: "release", u: "undo", l: "translate" };
const links = { b: "alike", q: "queue" };
const fields = { c: "comment", t: "answer", p: "to", "/": "q" };
let rule = false; // R was pressed: the next digit chooses a rule
const keyOf = ({ key, code, shiftKey }) =>
  /^[a-z0-9]$/i.test(key) || shiftKey ? key.toLowerCase() : (/^(?:Key|Digit)(.)$/.exec(code)?.[1] ?? key).toLowerCase();

function choose(name, number) {
  const radio = decide.querySelectorAll(`[name=${name}]`)[number - 1];
  if (!radio) return;
  radio.checked = true;
  radio.focus();
}

function go(field) {
  const details = field.closest("details");
  if (details) details.open = true;
  field.focus();
}

addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || event.repeat) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    else if (event.ctrlKey && event.key === "Enter") event.target.form?.requestSubmit();
    else return;
    event.preventDefault();
    return;
  }
  if (event.ctrlKey) return;
  const key = keyOf(event);
  const ruled = rule;
  rule = key === "r" && decide?.querySelector("[name=rule]") != null;
  if (rule) decide.querySelector("[name=rule]:checked, [name=rule]").focus();
  else if (decide && /^[1-9]$/.test(key)) choose(ruled ? "rule" : "choice", Number(key));
  else if (document.getElementById(links[key])) document.getElementById(links[key]).click();
  else if (document.getElementById(fields[key])) go(document.getElementById(fields[key]));
  else if (key === "/") location.assign("/search");
  else if (key === "enter" && !event.target.matches("a, button, summary")) {
    (decide ?? document.getElementById("next"))?.requestSubmit();
  } else if (document.getElementById(forms[key])) {
    document.getElementById(forms[key]).requestSubmit();
  } else return;
  event.preventDefault();
});

// A saved answer is written into the field, where it can be changed; without this script the server takes it by its name.
const words = document.getElementById("words");
const answer = document.getElementById("answer");
const language = document.getElementById("language");
function fill() {
  const texts = [...document.querySelectorAll("#answers li")].filter((one) => one.dataset.answer === answer.value);
  words.value = (texts.find((one) => one.dataset.language === language.value) ?? texts[0])?.textContent ?? "";
}
answer?.addEventListener("change", fill);
language?.addEventListener("change", () => answer.value && fill());

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
