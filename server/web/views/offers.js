// The rows of "Other ways to meet". What a row promises is what its dialog says.
import { send } from "../store.js";
import { t } from "../words.js";
import { addWay } from "./ways.js";

/** The shorter of the two queues says so, where somebody waited in the other. */
function shorter(state, mine, other) {
  const spy = state.status?.spy;
  return spy && spy[mine] < spy[other] ? ` ${t("home.shorter", { n: Math.max(1, Math.round(spy[mine])) })}` : "";
}

const mine = ({ college }) => (college ? t(`home.college.${college.want}`, { college: college.domain }) : t("home.college.more"));

addWay({
  is: "spy",
  offered: (config) => config.spy !== false,
  name: () => t("home.spy"),
  more: (state) => t("home.spy.more") + shorter(state, "ask", "discuss"),
  open: () => send("sheet", { is: "ask" }),
});
addWay({
  is: "discuss",
  offered: (config) => config.spy !== false,
  name: () => t("home.discuss"),
  more: (state) => t("home.discuss.more") + shorter(state, "discuss", "ask"),
  open: () => send("sheet", { is: "discuss" }),
});
addWay({
  is: "college",
  offered: (config) => config.college !== undefined,
  name: () => t("home.college"),
  more: mine,
  open: () => send("sheet", { is: "college" }),
});
