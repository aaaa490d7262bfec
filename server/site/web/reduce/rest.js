// Collect the parts that the first screen does not need: other ways to meet, video, report and save, warnings. Loaded by rest.js, learned
// by reduce.js.
import { ageEvents } from "./age.js";
import { askingEvents } from "./asking.js";
import { callingEvents } from "./calling.js";
import { checkEvents, checkFrames } from "./check.js";
import { forgettingEvents } from "./forgetting.js";
import { keepingEvents, keepingFrames } from "./keeping.js";
import { nextEvents, nextFrames } from "./next.js";
import { followPhotos, photoEvents, photoFrames } from "./photos.js";
import { followPairs, pairEvents, pairFrames } from "./pairs.js";
import { follow as followPictures, pictureEvents, pictureFrames } from "./pictures.js";
import { reactingEvents, reactingFrames } from "./reacting.js";
import { followTips, safetyEvents, safetyFrames } from "./safety.js";
import { followLines, translatingEvents } from "./translating.js";
import { callHere, follow as followCalls, videoEvents, videoFrames } from "./video.js";

export const follow = (before, result) => followPhotos(before, followPairs(before, followLines(before, followTips(before, followCalls(before, followPictures(before, result))))));
export const events = { ...ageEvents, ...askingEvents, ...callingEvents, ...checkEvents, ...forgettingEvents, ...keepingEvents, ...nextEvents, ...pairEvents, ...photoEvents, ...pictureEvents, ...reactingEvents, ...safetyEvents, ...translatingEvents, ...videoEvents, rest: callHere };
export const frames = { ...checkFrames, ...keepingFrames, ...nextFrames, ...pairFrames, ...photoFrames, ...pictureFrames, ...reactingFrames, ...safetyFrames, ...videoFrames };
