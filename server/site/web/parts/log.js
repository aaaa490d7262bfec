// Scroll the chat: card, note, lines. At its end (within NEAR) it follows new lines; else it stays and counts them.
import { useLayoutEffect, useMemo, useRef, useState } from "../vendor/hooks.mjs";
import { partnerFace } from "../face.js";
import { html } from "../html.js";
import { reactable } from "../reduce/reacting.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { Line } from "./line.js";

const NEAR = 80; // px
const DOUBLE = 350; // ms between two taps

export function Log({ chat, head, tail, typing, pill, tongue }) {
  const box = useRef(null);
  const at = useRef({ end: true, top: 0, last: null, heard: chat.last });
  const tap = useRef({ key: null, at: 0 });
  const [fresh, count] = useState(0);
  const [chosen, stopAt] = useState(null); // key of the line whose button had the focus last
  const toEnd = () => {
    const node = box.current;
    node.scrollTop = node.scrollHeight;
    at.current.end = true;
    count(0);
    send("held", { on: false });
  };
  const scrolled = () => {
    if (!box.current) return; // the last scroll event may come after the screen is gone
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    // Only scrolling up ends the following of new lines: content that grows meanwhile makes the end look far.
    const up = scrollTop < at.current.top;
    at.current.top = scrollTop;
    const end = scrollHeight - scrollTop - clientHeight < NEAR || (at.current.end && !up);
    if (end === at.current.end) return;
    at.current.end = end;
    if (end) count(0);
    send("held", { on: !end });
  };
  useLayoutEffect(() => {
    const newest = chat.lines.at(-1);
    const own = newest?.from === "me" && newest.key !== at.current.last;
    const added = chat.lines.filter(({ from, seq }) => from !== "me" && seq > at.current.heard).length; // wherever they were inserted
    at.current.last = newest?.key;
    at.current.heard = chat.last;
    if (own || at.current.end) toEnd();
    else if (added) count(fresh + added);
  }, [chat.lines, typing, tail]);
  useLayoutEffect(() => {
    const watch = new ResizeObserver(() => at.current.end && (box.current.scrollTop = box.current.scrollHeight));
    watch.observe(box.current); // the field grows, a keyboard opens
    watch.observe(box.current.firstElementChild); // a line is higher than its estimate
    return () => watch.disconnect();
  }, []);
  /** Show the actions of a line after a tap, on devices without hover; a second tap at once offers the faces. */
  const tapped = ({ target, timeStamp }) => {
    const line = target.closest(".line");
    if (!line || !matchMedia("(hover: none)").matches || target.closest("button") || !getSelection().isCollapsed) return;
    for (const other of box.current.querySelectorAll(".line.open")) if (other !== line) other.classList.remove("open");
    line.classList.toggle("open");
    const twice = timeStamp - tap.current.at < DOUBLE && tap.current.key === line.dataset.key;
    tap.current = { key: line.dataset.key, at: timeStamp };
    if (!twice) return;
    line.classList.remove("open");
    send("react.open", { key: line.dataset.key, stays: true });
  };
  /** Go from one line's button to another's: the arrow keys, Home and End. */
  const walked = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !event.target.matches(".act")) return;
    const all = [...box.current.querySelectorAll(".act")];
    const at = all.indexOf(event.target);
    const next = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[Math.max(0, next)]?.focus();
    all[Math.max(0, next)]?.scrollIntoView({ block: "nearest" });
  };
  const reached = ({ target }) => target.matches(".act") && stopAt(target.closest(".line").dataset.key);
  const over = !!tail;
  const acting = chat.lines.filter(reactable);
  const stop = acting.some(({ key }) => String(key) === chosen) ? chosen : String(acting.at(-1)?.key); // one tab stop, at first the newest line's
  const face = useMemo(() => partnerFace(chat), [chat.id, chat.pair]);
  const lines = useMemo(
    () =>
      chat.lines.map((entry, index) => {
        const [before, after] = [chat.lines[index - 1], chat.lines[index + 1]];
        return html`
          <${Line}
            key=${entry.key}
            entry=${entry}
            turn=${before?.from !== entry.from}
            last=${after?.from !== entry.from}
            over=${over}
            tongue=${tongue}
            language=${chat.language}
            faces=${entry.seq && chat.faces[entry.seq]}
            picking=${chat.picking === entry.key}
            stop=${String(entry.key) === stop}
            face=${entry.photo && face}
            asking=${chat.every === undefined && chat.asking === entry.key}
            part=${entry.other?.is === "busy" && chat.fetched}
          />
        `;
      }),
    [chat.lines, over, tongue, chat.every, chat.asking, chat.fetched, chat.faces, chat.picking, stop],
  );
  return html`
    <div
      class="middle"
      ref=${box}
      onScroll=${scrolled}
      role="log"
      aria-label=${t("chat.log")}
      aria-busy=${chat.replay > 0 ? "true" : "false"}
      tabindex="0"
    >
      <div class="inner">
        ${head}
        ${
          chat.cut &&
          html`
            <p class="divider">${t("chat.older")}</p>
          `
        }
        <ol class="lines" onClick=${tapped} onKeyDown=${walked} onFocusIn=${reached}>
          ${lines}
        </ol>
        ${
          tail ??
          html`
            <div class="dots" hidden=${!typing} aria-hidden="true">
              <i></i>
              <i></i>
              <i></i>
            </div>
          `
        }
      </div>
    </div>
    ${pill(fresh, toEnd)}
  `;
}
