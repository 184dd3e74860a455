// What happened to users: the service's own events, followed from as far back as is sensible.

const MOST_GENERATIONS = 200;
const MOST_CALLS = 20;

export class Feed {
  constructor(api) {
    this.api = api;
    this.events = [];
    this.after = null;
  }

  /** Read on to the newest generation, one reader at a time. */
  follow(generation) {
    this.reading = (this.reading ?? Promise.resolve()).then(() => this.#read(generation));
    return this.reading;
  }

  /** Return the events about a user, the newest first. */
  of(userId) {
    return this.events.filter(({ subject }) => subject === String(userId)).reverse();
  }

  async #read(generation) {
    this.after ??= Math.max(0, generation - MOST_GENERATIONS);
    for (let calls = 0, more = true; more && calls < MOST_CALLS; calls += 1) {
      const answer = await this.api.get(`/events?limit=1000&include=values&after=${this.after}`, { quiet: true });
      if (answer.status === 410 && typeof this.after === "number" && this.after < generation - 1) {
        // What is so long ago is not kept any longer: half of the way back may be.
        this.after = Math.ceil((this.after + generation) / 2);
        continue;
      }
      if (answer.status === 410) this.after = generation;
      if (answer.status !== 200) return;
      this.events.push(...answer.body.data);
      this.after = answer.body.pagination.cursor;
      more = answer.body.pagination.hasMore;
    }
  }
}

/** Return what an event is about in a word: created, discovered, updated, deleted, baseline. */
export const kindOf = (event) => event.type.split(".").at(-2);
