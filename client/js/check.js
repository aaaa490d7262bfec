// Check the fields of a call before they are sent: the server ignores an unknown one, and refuses a wrong one later.
import { WrongField } from "./errors.js";
import { FIELDS } from "./fields.js";

/** Whether a value is of a kind: an allowed list, `string`, `number`, `boolean`, `object`, or `string[]`, `number[]`. */
function fits(kind, value) {
  if (Array.isArray(kind)) return kind.includes(value);
  const one = kind.replace("[]", "");
  const all = one === kind ? [value] : value;
  return Array.isArray(all) && all.every((each) => typeof each === one);
}

/** Return the frame of this type with `fields`, without undefined ones. Throws WrongField, which names the field. */
export function frameOf(type, fields = {}) {
  const known = FIELDS[type] ?? {};
  const frame = { type };
  for (const [name, value] of Object.entries(fields)) {
    const kind = known[name];
    if (value === undefined) continue;
    if (!kind) throw new WrongField(type, name, `is not one of ${Object.keys(known)}`);
    if (!fits(kind, value)) throw new WrongField(type, name, `is ${JSON.stringify(value)}, and not ${[kind].flat().join(", ")}`);
    frame[name] = value;
  }
  return frame;
}
