// Which time zones and locales there are, and how many users have each; and what typed text means.

import { linked } from "./api.js";
import { at, h } from "./dom.js";
import { count } from "./words.js";

const NAMES = ["timeZone", "locale"];
const MOST_CALLS = 40;

export class Facets {
  constructor(api) {
    this.api = api;
    this.digest = null;
    this.counted = null;
  }

  /** Count, unless that was done for the directory with this digest already. */
  ready(digest) {
    if (!this.counted || (this.digest && digest !== this.digest)) this.counted = this.#count();
    this.digest = digest;
    return this.counted;
  }

  async #count() {
    const counts = Object.fromEntries(NAMES.map((name) => [name, new Map()]));
    let next = `?limit=250&fields=${NAMES}`;
    for (let calls = 0; next && calls < MOST_CALLS; calls += 1) {
      const answer = await this.api.get(`/users${next}`, { quiet: true });
      if (answer.status !== 200) {
        this.counted = null;
        break;
      }
      for (const user of answer.body.data) {
        for (const name of NAMES) {
          if (user[name]) counts[name].set(user[name], (counts[name].get(user[name]) ?? 0) + 1);
        }
      }
      next = linked(answer.headers, "next");
    }
    return counts;
  }
}

/** Offer the values in the lists of the fields, the most frequent first. */
export function offer(counts) {
  for (const name of NAMES) {
    const values = [...counts[name]].sort(([a, many], [b, more]) => more - many || a.localeCompare(b));
    at(`${name}-values`).replaceChildren(...values.map(([value, users]) =>
      h("option", { value }, `${count(users)} ${users === 1 ? "user" : "users"}`)));
  }
}

/** Return the values that are meant by what was typed; what fits none is meant as it is. */
export function meant(typed, counts) {
  return typed.split(",").map((part) => part.trim()).filter(Boolean).flatMap((part) => {
    const values = [...counts.keys()];
    const sought = part.toLowerCase().replaceAll(" ", "_");
    const same = values.filter((value) => value.toLowerCase() === sought);
    if (same.length) return same;
    const alike = values.filter((value) => value.toLowerCase().includes(sought));
    return alike.length ? alike.sort() : [part];
  });
}
