// Show the search: each step says what it accepts and when the next begins.
import { html } from "../html.js";
import { mark } from "../icons.js";
import { Banner } from "../parts/banner.js";
import { Behind } from "../parts/behind.js";
import { laterPiece } from "../parts/later.js";
import { Past } from "../parts/past.js";
import { send } from "../store.js";
import { clean } from "../text.js";
import { languageName, t } from "../words.js";

const Meanwhile = laterPiece(() => import("./meanwhile.js"), "Meanwhile");
const Quiet = laterPiece(() => import("./quiet.js"), "Quiet");
const Calls = laterPiece(() => import("../parts/pairs.js"), "Calls");
const Calling = laterPiece(() => import("../parts/pairs.js"), "Calling");
const Self = laterPiece(() => import("../video/picture.js"), "Self");

/** Return the first few topics, as they were typed. */
const topicsOf = (interests) => interests.slice(0, 6).map(clean).join(", ") + (interests.length > 6 ? ", …" : "");
const ORDER = ["good", "any", "anyone"];

/** Return the search in one line. */
function heading({ interests, extra }, anyone) {
  if (extra?.call !== undefined) return "wait.calling";
  if (extra?.role) return `wait.${extra.role}`;
  if (extra?.college) return `wait.college.${extra.college}`;
  return interests.length && !anyone ? "wait.topics" : "wait.plain";
}

const stepName = (step, language) =>
  step === "anyone"
    ? language === "*"
      ? t("wait.anyone.any")
      : t("wait.anyone", { language: languageName(language) })
    : t(`wait.${step}`);

/** Return "done", "now", "in 6 s" or "later". Only the step after the present one has a known time. */
function when(index, present, waiting, now) {
  if (index < present) return t("wait.done");
  if (index === present) return t("wait.now");
  if (index > present + 1 || waiting?.widens == null) return t("wait.later");
  return t("wait.in", { n: Math.max(1, Math.ceil(waiting.widens - (now - waiting.at) / 1000)) });
}

const Steps = ({ find, waiting, now }) => {
  const present = Math.max(0, ORDER.indexOf(waiting?.accepts ?? "good"));
  return html`
    <ol class="steps" aria-label=${t("wait.steps")}>
      ${ORDER.map((step, index) => {
        const name = index < present ? "done" : index === present ? "now" : "later";
        return html`
          <li key=${step} class=${name} aria-current=${name === "now" ? "step" : null}>
            <span>${stepName(step, find.language)}</span>
            <span class="when" aria-hidden="true">${when(index, present, waiting, now)}</span>
          </li>
        `;
      })}
    </ol>
  `;
};

export function Waiting({ state }) {
  const { find, waiting, now } = state;
  const topics = find.interests.length > 0;
  const anyone = waiting?.accepts === "anyone";
  const calls = find.extra?.call !== undefined;
  const step = topics ? Math.max(0, ORDER.indexOf(waiting?.accepts ?? "good")) : 0;
  return html`
    <div class="room waiting">
      <header class="roomtop">
        <div class="bar">
          <div>
            <span class="who">
              <span class="brand">
                ${mark()}
                <span>${t("name")}</span>
              </span>
            </span>
            ${
              state.me.online > 1 &&
              html`
                <span class="count">${t("wait.here", { n: state.me.online })}</span>
              `
            }
          </div>
        </div>
        <${Banner} state=${state} />
      </header>
      <main class="middle" aria-busy="true" tabindex="0">
        <div class="wait">
          <div class=${find.mode === "video" ? "pairing" : ""}>
            ${
              find.mode === "video" &&
              html`
                <${Self} state=${state} />
              `
            }
            <div class="circles" data-step=${step} aria-hidden="true"><i class="one"><i></i></i><i class="two"><i></i></i></div>
          </div>
          <h1 tabindex="-1">${t(heading(find, anyone), { college: clean(state.college?.domain ?? "") })}</h1>
          ${
            calls &&
            html`
              <${Calling} state=${state} />
            `
          }
          ${
            Object.keys(state.calls).length > 0 &&
            html`
              <${Calls} state=${state} />
            `
          }
          ${
            topics &&
            html`
              <p class="sub" dir="auto">${topicsOf(find.interests)}</p>
              ${
                !waiting?.quiet &&
                html`
                  <${Steps} find=${find} waiting=${waiting} now=${now} />
                `
              }
            `
          }
          ${
            waiting?.quiet &&
            !calls &&
            html`
              <${Quiet} state=${state} />
            `
          }
          <${Meanwhile} state=${state} />
          <${Past} last=${state.last} />
        </div>
      </main>
      <footer class="deck">
        ${
          state.behind?.token &&
          html`
            <${Behind} />
          `
        }
        <div>
          <button type="button" class="button big other" onClick=${() => send("stop")}>${t("wait.stop")}</button>
          ${
            calls &&
            html`
              <button type="button" class="button primary big first" onClick=${() => send("someone")}>${t("wait.someone")}</button>
            `
          }
          ${
            topics &&
            !anyone &&
            html`
              <button type="button" class="button primary big first" onClick=${() => send("anyone")}>${t("wait.anyonenow")}</button>
            `
          }
        </div>
      </footer>
    </div>
  `;
}
