// Show "One moment": before the search continues the browser solves a puzzle, or a captcha provider checks the user. It can be stopped at
// any time, and tried again after a failure.
import { useEffect, useRef } from "../vendor/hooks.mjs";
import { Sheet } from "../parts/sheet.js";
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";

const button = (event, key, primary = false) => html`
  <button type="button" class=${primary ? "button primary" : "button"} onClick=${() => send(event)}>${t(key)}</button>
`;

/** Permissions that the widgets of the three providers need. The frame has an origin of its own, and cannot navigate the page. */
const ALLOWED = "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox";

/** Show the widget in a frame at `from`, an origin of its own (company.js), until it has posted its answer. */
function Frame({ check: { kind, of, company }, from }) {
  const frame = useRef(null);
  useEffect(() => {
    const hear = ({ source, origin, data }) => {
      if (source !== frame.current?.contentWindow || origin !== from) return;
      if (typeof data?.response === "string") send("check.done", { response: data.response, of });
      else if (data?.failed) send("check.failed");
    };
    addEventListener("message", hear);
    return () => removeEventListener("message", hear);
  }, [of, from]);
  const address = `${from}/challenge?page=${encodeURIComponent(location.origin)}`;
  return html`
    <iframe class="company" data-kind=${kind} ref=${frame} src=${address} sandbox=${ALLOWED} title=${t("check.frame", { company })}></iframe>
  `;
}

function said({ company, failed, agreed }) {
  if (failed) return t("check.failed");
  return company ? t(agreed ? "check.frame" : "check.company", { company }) : t("check.text");
}

function Below({ check, from }) {
  if (check?.failed) return null;
  if (check?.company && !check.part)
    return (
      check.agreed &&
      html`
        <${Frame} key=${check.of} check=${check} from=${from} />
      `
    );
  return html`
    <progress class="part" aria-label=${t("check.part")} max="1" value=${check?.part ?? 0}></progress>
  `;
}

export const Check = ({ state: { check, config } }) => html`
  <${Sheet} id="check" title=${t("check.title")} cross=${false} shut="check.stop">
    ${
      check?.wrong &&
      !check.agreed &&
      html`
        <p>${t("check.failed")}</p>
      `
    }
    <p>${check && said(check)}</p>
    <${Below} check=${check} from=${config.challenges} />
    <div class="pair">
      ${check?.failed && button("check.again", "check.again", true)}
      ${check?.company && !check.failed && !check.agreed && button("check.agreed", "check.go", true)}
      ${button("check.stop", "wait.stop")}
    </div>
  <//>
`;
