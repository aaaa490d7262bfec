// The types of testing.js.
import type { Global } from "./v1.js";

export const settle: () => Promise<void>;
export class FakeClock {
  now: number;
  advance(ms: number): Promise<void>;
}
export class Stranger {
  readonly chat: string;
  readonly heard: string[];
  readonly left: boolean;
  /** Whether the client allows pictures. */
  readonly allows: boolean;
  /** Pictures that it sent. */
  readonly pictures: Global<"Blob">[];
  allow(allow?: boolean): void;
  show(jpeg: Global<"Blob">): void;
  readonly typed: boolean;
  say(text: string): void;
  typing(typing: boolean): void;
  leave(by?: "stranger" | "moderation" | "lost"): void;
  /** Wait for the next text of the client that this has not returned yet. */
  hears(): Promise<string>;
}
export class FakeServer {
  /** `raw`: answer nothing by itself; `blocks`: WebSockets are refused, and HTTP passes; `pictures`: two can send each other pictures. */
  constructor(options?: { raw?: boolean; blocks?: boolean; pictures?: boolean });
  readonly url: string;
  readonly world: unknown;
  readonly clock: FakeClock;
  /** Whether handshakes are refused. */
  refuses: boolean;
  meet(options?: { common?: string[] }): Promise<Stranger>;
  drop(code?: number): void;
  silence(): void;
  forget(): void;
  refuse(of: string, code: string, more?: Record<string, unknown>): void;
  tell(frame: Record<string, unknown>): void;
  next(): Promise<Record<string, any>>;
  connected(): Promise<void>;
}
