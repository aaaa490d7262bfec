// Show the home screen: topics, language, one press. What the server does not offer is not shown.
import { Hours } from "../hours.js";
import { html } from "../html.js";
import { icon, mark } from "../icons.js";
import { Banner } from "../parts/banner.js";
import { laterPiece } from "../parts/later.js";
import { Past } from "../parts/past.js";
import { Mini } from "../parts/mini.js";
import { takeTyped, Tags } from "../parts/tags.js";
import { offered } from "../languages.js";
import { send } from "../store.js";
import { documentAt, languageName, t } from "../words.js";
import { waysOf } from "./ways.js";

const Here = laterPiece(() => import("../parts/pairs.js"), "Here");

const start = (mode) => {
  if (takeTyped()) send("start", { mode });
};

/** Say in words how many are here, and how many talk in the language of the search, if the server knows. */
const here = ({ me: { online }, status, prefs: { language } }) => {
  const m = status?.talking?.[language.split("-")[0]] ?? 0;
  if (!Number.isInteger(online) || online < 1)
    return html`
      <span></span>
    `;
  if (online === 1)
    return html`
      <span>${t("home.first")}</span>
    `;
  const talking = m > 1 && m <= online;
  return html`
    <span class="count">${talking ? t("home.here.talking", { n: online, m, language: languageName(language) }) : t("home.here", { n: online })}</span>
  `;
};

const promises = () => html`
  <ul class="promises">
    <li>
      ${icon("nobody")}
      <span>${t("home.promise.who")}</span>
    </li>
    <li>
      ${icon("lock")}
      <span>${t("home.promise.topics")}</span>
    </li>
    <li>
      ${icon("out")}
      <span>
        ${t("home.promise.leave")}
        <kbd>${t("key.esc")}</kbd>
        <kbd>${t("key.esc")}</kbd>
      </span>
    </li>
  </ul>
`;

function Start({ state }) {
  const { prefs, config, form } = state;
  const submit = (event) => {
    event.preventDefault();
    start("text");
  };
  return html`
    <form class="start" aria-label=${t("home.start")} onSubmit=${submit}>
      <${Tags} tags=${prefs.tags} problem=${form.problem} pulse=${form.pulse} language=${prefs.language} />
      <div class="setting">
        <label class="label" for="language">${t("home.language")}</label>
        <select class="select" id="language" onChange=${(event) => send("pref", { name: "language", value: event.target.value })}>
          ${offered(config.languages, prefs.language).map(
            (tag) => html`
              <option key=${tag} value=${tag} selected=${tag === prefs.language}>${languageName(tag, true)}</option>
            `,
          )}
        </select>
      </div>
      <div class="starts">
        <button type="submit" class="button primary big" id="start-text">${icon("chat")}${t("home.text")}</button>
        ${
          config.video &&
          html`
            <button type="button" class="button big" id="start-video" onClick=${() => start("video")}>
              ${icon("video")}${t("home.video")}
            </button>
          `
        }
      </div>
      <${Past} last=${state.last} />
    </form>
  `;
}

export function Home({ state }) {
  const rows = waysOf(state);
  return html`
    <div class="home">
      <header>
        <${Banner} state=${state} />
        <div class="hometop">
          <a class="brand" href="/">
            ${mark()}
            <span>${t("name")}</span>
          </a>
          <button type="button" class="round" aria-label=${t("settings.title")} onClick=${() => send("sheet", { is: "settings" })}>
            ${icon("gear")}
          </button>
        </div>
      </header>
      <main>
        <div>
          <h1 tabindex="-1">${t("home.title")}</h1>
          <p class="lead"><bdi>${state.config.sentence ?? t("home.lead")}</bdi></p>
          ${promises()}
        </div>
        <${Start} state=${state} />
        ${
          state.here.length > 0
            ? html`
                <${Here} state=${state} />
              `
            : html`
                <${Mini} />
              `
        }
        ${
          rows.length > 0 &&
          html`
            <section class="ways" aria-labelledby="ways">
              <h2 id="ways">${t("home.ways")}</h2>
              <ul>
                ${rows.map(
                  ({ is, sheet, mark: sign, name, more }) => html`
                    <li key=${is}>
                      <button type="button" id=${`start-${is}`} onClick=${() => send("sheet", { is: sheet })}>
                        ${icon(sign, "accent")}
                        <span>
                          <b>${name}</b>
                          <span class="small">${more}</span>
                        </span>
                        ${icon("go")}
                      </button>
                    </li>
                  `,
                )}
              </ul>
            </section>
          `
        }
      </main>
      <footer class="foot">
        ${here(state)}${state.config.hours && html`<${Hours} hours=${state.config.hours} />`}
        <nav aria-label=${t("home.more")}>
          <a href=${documentAt("/rules")}>${t("home.rules")}</a>
          ${
            state.config.privacy !== false &&
            html`
              <a href=${documentAt("/privacy")}>${t("home.privacy")}</a>
            `
          }
          ${
            state.config.rights &&
            html`
              <a href=${documentAt("/privacy/request")}>${t("home.data")}</a>
            `
          }
          <a href=${documentAt("/about")}>${t("home.about")}</a>
        </nav>
      </footer>
    </div>
  `;
}
