// List the rows of "Other ways to meet": what the server offers, each with its dialog.
import { gap, t } from "../words.js";

/** Mark the shorter of the two queues, if users waited in the other. */
function shorter({ status }, mine, other) {
  const spy = status?.spy;
  return spy && spy[mine] < spy[other] ? gap() + t("home.shorter", { n: Math.max(1, Math.round(spy[mine])) }) : "";
}

/** Return the rows in their order on the page; `sheet` is the dialog. */
export function waysOf(state) {
  const { config, college } = state;
  const rows = [];
  if (config.spy !== false) {
    rows.push(
      { is: "spy", sheet: "ask", mark: "eye", name: t("home.spy"), more: t("home.spy.more") + shorter(state, "ask", "discuss") },
      {
        is: "discuss",
        sheet: "discuss",
        mark: "discuss",
        name: t("home.discuss"),
        more: t("home.discuss.more") + shorter(state, "discuss", "ask"),
      },
    );
  }
  if (config.college) {
    const more = college ? t(`home.college.${college.want}`, { college: college.domain }) : t("home.college.more");
    rows.push({ is: "college", sheet: "college", mark: "cap", name: t("home.college"), more });
  }
  return rows;
}
