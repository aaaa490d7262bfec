// Icons of a call and of the menu of a chat, which the first screen does not show.
import { addIcons } from "./icons.js";

addIcons({
  block: ["M12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 0 1 0-17Z", "M6 6l12 12"],
  mic: ["M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5.2a2.8 2.8 0 0 1-5.6 0V6.3A2.8 2.8 0 0 1 12 3.5Z", "M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v2.5"],
  off: ["M4 4l16 16"],
  flip: ["M4 10a8.2 8.2 0 0 1 14.5-3.5L20 8.5", "M20 4v4.5h-4.5", "M20 14a8.2 8.2 0 0 1-14.5 3.5L4 15.5", "M4 20v-4.5h4.5"],
  full: ["M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"],
  pip: ["M3.5 5.5h17v13h-17Z", "M12.5 12h5.5v4h-5.5Z"],
  keys: [
    "M3.5 6.5h17a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5h-17A1.5 1.5 0 0 1 2 16V8a1.5 1.5 0 0 1 1.5-1.5Z",
    "M6 10h.01M10 10h.01M14 10h.01M18 10h.01M8 14h8",
  ],
});
