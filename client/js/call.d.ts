// Declare the types of call.js.
import type { Client, Global } from "./v1.js";

type Happening = Global<"Event">;
type Stream = Global<"MediaStream">;
export interface CallEvents {
  live: Happening;
  paused: Happening;
  failed: Happening;
  track: Happening;
  framed: Happening;
  theirs: Happening;
  veil: Happening;
  ended: Happening;
}
/** An EventTarget. */
export class Call {
  constructor(me: Client, stream: Stream, options?: { relay?: boolean });
  readonly remote: Stream;
  readonly theirs: { camera?: boolean; microphone?: boolean; curtain?: boolean };
  readonly veiled: boolean;
  curtain(drawn: boolean): void;
  give(camera: boolean, microphone: boolean): void;
  fit(): void;
  stats(): Promise<Global<"RTCStatsReport">> | undefined;
  close(): void;
  addEventListener(
    type: keyof CallEvents,
    hear: (event: Happening) => void,
    options?: { once?: boolean; passive?: boolean; capture?: boolean; signal?: Global<"AbortSignal"> },
  ): void;
  removeEventListener(type: keyof CallEvents, hear: (event: Happening) => void, options?: { capture?: boolean }): void;
  dispatchEvent(event: Happening): boolean;
}
/** Begin the call of the client's chat. */
export function call(me: Client, stream: Stream, options?: { relay?: boolean }): Call;
