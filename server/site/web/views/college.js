// Prove the college: an address, six digits, done. The link of the mail does the same in another tab of this browser.
import { useEffect, useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { Choice } from "../parts/switch.js";
import { send } from "../store.js";
import { clean } from "../text.js";
import { t } from "../words.js";

const clock = (seconds) => new Date(Date.now() + seconds * 1000).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });

function problem({ problem: name, figure }) {
  if (name === "wrong") return t(figure ? "college.wrong" : "college.expired", { n: figure });
  if (name === "wait") return t("college.wait", { at: clock(figure) });
  const known = {
    not_college: "college.unknown",
    expired: "college.expired",
    no_cookie: "college.cookies",
    lost: "college.lost",
    busy: "college.busy",
  };
  return t(known[name] ?? "college.failed");
}

function Form({ id, label, hint, go, sheet, busy, type, act, more }) {
  const field = useRef(null);
  const submit = (event) => {
    event.preventDefault();
    if (!busy) act(field.current.value.trim());
  };
  return html`
    <form class="field" onSubmit=${submit} novalidate>
      <label for=${id}>${label}</label>
      <input
        class="input"
        id=${id}
        ref=${field}
        ...${type}
        aria-describedby=${`${id}-hint`}
        aria-invalid=${sheet.problem ? "true" : null}
      />
      <p class="hint" id=${`${id}-hint`}>${hint}</p>
      ${
        sheet.problem &&
        html`
          <p class="problem" role="alert">${problem(sheet)}</p>
        `
      }
      <button type="submit" class="button primary big wide" aria-busy=${busy ? "true" : null}>${go}</button>
      ${more}
    </form>
  `;
}

const ADDRESS = {
  type: "email",
  autocomplete: "email",
  inputmode: "email",
  dir: "ltr",
  maxlength: 254,
  autocapitalize: "off",
  spellcheck: false,
};
const CODE = { type: "text", inputmode: "numeric", autocomplete: "one-time-code", dir: "ltr", maxlength: 6 };

const Proven = ({ college, video }) => html`
  <div class="field">
    <p><b>${t("college.in", { college: clean(college.domain) })}</b></p>
    <p class="hint">${t("college.seen")}</p>
    <${Choice}
      id="college-want"
      label=${t("college.want")}
      value=${college.want}
      set=${(want) => send("college.want", { want })}
      options=${["any", "same"].map((want) => [want, t(`college.want.${want}`, { college: clean(college.domain) })])}
    />
    <button type="button" class="button primary big wide" id="college-start" onClick=${() => send("college.start")}>
      ${t("home.text")}
    </button>
    ${
      video &&
      html`
        <button type="button" class="button big wide" id="college-video" onClick=${() => send("college.start", { mode: "video" })}>
          ${t("home.video")}
        </button>
      `
    }
    <button type="button" class="button wide" onClick=${() => send("college.forget")}>${t("college.forget")}</button>
  </div>
`;

export function College({ state }) {
  const { sheet, college } = state;
  const code = sheet.step === "code";
  useEffect(() => {
    const look = () => document.hidden || send("college.claim"); // the link may have been confirmed in another tab
    document.addEventListener("visibilitychange", look);
    addEventListener("focus", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      removeEventListener("focus", look);
    };
  }, []);
  const anew = html`
    <button type="button" class="button plain" onClick=${() => send("sheet.set", { change: { step: null, problem: null } })}>
      ${t("college.other")}
    </button>
  `;
  return html`
    <${Sheet} id="college" title=${t(college ? "home.college" : "college.title")}>
      ${
        college
          ? html`
              <${Proven} college=${college} video=${state.config.video} />
            `
          : code
            ? html`
                <${Form}
                  key="code"
                  id="college-code"
                  label=${t("college.code")}
                  hint=${t("college.sent")}
                  go=${t("college.check")}
                  sheet=${sheet}
                  busy=${sheet.busy}
                  type=${CODE}
                  act=${(text) => send("college.code", { code: text })}
                  more=${anew}
                />
              `
            : html`
                <p class="muted">${t("college.text")}</p>
                <${Form}
                  key="mail"
                  id="college-address"
                  label=${t("college.address")}
                  hint=${t("college.hint")}
                  go=${t("college.send")}
                  sheet=${sheet}
                  busy=${sheet.busy}
                  type=${ADDRESS}
                  act=${(address) => send("college.mail", { address })}
                />
              `
      }
    <//>
  `;
}
