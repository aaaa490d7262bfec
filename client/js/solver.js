// Decide what becomes of a challenge: a puzzle is solved here, any other is for the user, followed by the refusal of the search that waits.

export class Solver {
  open = false; // a puzzle was received, and the server has not confirmed its solution yet
  #held = null; // a refused search, until the challenge that it waits for is known
  #told = false; // a challenge was told, and its refusal of a search is still to come
  #run = 0;
  #session;
  #tell;
  #solve;

  /** `solve(parameters, stale)` returns a response, or null if it cannot; null: solve nothing. */
  constructor(session, tell, solve) {
    [this.#session, this.#tell, this.#solve] = [session, tell, solve];
  }

  takes(frame) {
    if (frame.kind !== "altcha" || !this.#solve) return this.#unsolved(frame);
    this.#held = null;
    this.open = true;
    const run = (this.#run += 1);
    const stale = () => run !== this.#run || !!this.#session().ended;
    this.#solve(frame.parameters, stale)
      .catch(() => null)
      .then((response) => {
        if (stale()) return;
        if (response) return this.#session().send({ type: "solution", kind: frame.kind, response });
        this.open = false;
        this.#unsolved(frame);
      });
    return true;
  }

  #unsolved(frame) {
    const refused = this.#held;
    this.#held = null;
    this.#told = !refused;
    this.#tell(frame);
    if (refused) {
      this.#session().refuse();
      this.#tell(refused);
    }
  }

  solved() {
    if (!this.open) return false;
    this.open = false;
    this.#held = null;
    this.#session().repeat();
    return true;
  }

  /** Whether a frame that is refused because of a challenge is handled here, at least until the kind of challenge is known. */
  postpones(frame) {
    if (!this.#solve) return false;
    if (frame.of === "solution" && this.open) {
      this.#session().repeat(); // it has expired: the search brings the next one
      return true;
    }
    if (frame.of === "find" && !this.#told) {
      this.#session().hold();
      this.#held = frame;
      return true;
    }
    this.#told = false;
    return false;
  }
}
