// Declare the types of call.js.
import type { Client } from "./v1.js";

export interface CallEvents {
  live: Event;
  paused: Event;
  failed: Event;
  track: Event;
  framed: Event;
  theirs: Event;
  veil: Event;
  ended: Event;
}
export class Call extends EventTarget {
  constructor(me: Client, stream: MediaStream, options?: { relay?: boolean });
  readonly remote: MediaStream;
  readonly theirs: { camera?: boolean; microphone?: boolean; curtain?: boolean };
  readonly veiled: boolean;
  curtain(drawn: boolean): void;
  give(camera: boolean, microphone: boolean): void;
  fit(): void;
  stats(): Promise<RTCStatsReport> | undefined;
  close(): void;
  addEventListener(type: keyof CallEvents, hear: (event: Event) => void, options?: AddEventListenerOptions): void;
}
/** Begin the call of the client's chat. */
export function call(me: Client, stream: MediaStream, options?: { relay?: boolean }): Call;
