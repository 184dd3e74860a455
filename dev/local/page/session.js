// One client's directory as the page knows it: looks what there is now, and lists what is wanted.

import { FILTERS, here } from "./address.js";
import { Api, ask, reason } from "./api.js";
import { at, tell } from "./dom.js";
import { showDouble } from "./double.js";
import { openDrawer } from "./drawer.js";
import { Facets, meant, offer } from "./facets.js";
import { Feed } from "./feed.js";
import { addRequest } from "./requests.js";
import { showFailure, showState, windowsOf } from "./state.js";
import { showTimeline } from "./timeline.js";
import { showEmpty, showRefused } from "./trouble.js";
import { PAGE, showUsers } from "./users.js";

const MOST_ENTRIES = 500;

/** What is known of one client, until somebody turns to another and it is `over`. */
export class Session {
  /** `restarted` is called when the service turns out to have begun anew; `first` is the first client. */
  constructor(client, { first, restarted }) {
    this.client = client;
    this.first = first;
    this.restarted = restarted;
    this.over = false;
    this.api = new Api(client, (seen) => addRequest(at("requests"), seen));
    this.feed = new Feed(this.api);
    this.facets = new Facets(this.api);
    this.cache = null;
    this.query = null;
    this.asking = false;
    this.askedAgainAt = 0;
    this.listed = null;
    this.rows = [];
    this.windows = windowsOf("");
    this.detail = "";
    this.entries = [];
    this.sequence = 0;
    this.told = "";
  }

  /** Look what there is now, one look after the other. */
  look() {
    this.looking = Promise.allSettled([this.looking]).then(() => this.#look());
    return this.looking;
  }

  async #look() {
    if (this.over) return;
    const [answer, happened] = await Promise.all([
      this.api.get("/cache", { quiet: true }),
      ask(`/local/timeline?client=${encodeURIComponent(this.client)}&after=${this.sequence}`),
    ]);
    if (this.over) return;
    if (answer.status !== 200) return showFailure(reason(answer));
    // A run that was started anew has another history.
    if (happened.body?.sequence < this.sequence) return this.restarted();
    const before = this.cache?.generation;
    this.cache = answer.body.data;
    const { generation } = this.cache;
    showState(this.cache, this.windows, this.detail);
    if (happened.status === 200) this.#happened(happened.body);
    if (generation && generation !== before) await this.#changed(generation);
    if (this.#behind) await this.list(here(), { again: true });
    this.#tell();
  }

  #happened({ entries, sequence, origin }) {
    this.entries = [...this.entries, ...entries].slice(-MOST_ENTRIES);
    this.sequence = sequence;
    showDouble(origin);
  }

  async #changed(generation) {
    await this.feed.follow(generation);
    if (here().user && !this.over) await openDrawer(this.api, this.feed, here().user, generation);
  }

  /** Whether the list that is shown may be older than what is stored. */
  get #behind() {
    return !this.asking && Date.now() >= this.askedAgainAt && this.listed !== this.cache.generation;
  }

  #tell() {
    const said = `${this.sequence} ${this.feed.events.length}`;
    if (!this.over && said !== this.told) showTimeline(this.entries, this.feed.events);
    this.told = said;
  }

  async list(state, { again = false } = {}) {
    const query = await this.#query(state);
    if (this.over || (query === this.query && !again)) return;
    this.query = query;
    this.asking = true;
    const answer = await this.api.get(`/users${query}`);
    if (this.over || query !== this.query) return;
    this.asking = false;
    this.askedAgainAt = Date.now() + 1000 * answer.headers.get("Retry-After");
    if (answer.status === 0) return;
    if (answer.status !== 200 && answer.status !== 304) {
      this.rows = [];
      // What is refused now is refused until something changes.
      if (answer.status < 500) this.listed = this.cache?.generation;
      return showRefused(answer, state, this.first);
    }
    this.listed = Number(answer.headers.get("X-Generation"));
    this.detail = /detail=([\w-]+)/.exec(answer.headers.get("Cache-Status") ?? "")?.[1] ?? "";
    this.windows = windowsOf(answer.headers.get("Cache-Control") ?? "");
    this.rows = answer.body.data;
    showUsers(answer.body, state, this.client);
    showEmpty(answer.body, state, at("double").hidden ? null : () => at("sign-up").click());
    if (this.cache) showState(this.cache, this.windows, this.detail);
  }

  async #query(state) {
    const wanted = new URLSearchParams({ limit: PAGE });
    if (state.page > 1) wanted.set("offset", (state.page - 1) * PAGE);
    if (state.sort !== "id") wanted.set("sort", state.sort);
    for (const name of FILTERS.filter((each) => state[each])) wanted.set(name, state[name]);
    const told = [];
    for (const name of ["timeZone", "locale"].filter((each) => state[each])) {
      const values = meant(state[name], (await this.counts())[name]);
      if (values.join() !== state[name]) told.push(values.join(", "));
      wanted.set(name, values.join());
    }
    tell(at("meant"), told.length ? `Taken for ${told.join(" and ")}.` : "");
    return `?${wanted}`;
  }

  async counts() {
    const counts = await this.facets.ready(this.cache?.usersDigest ?? this.facets.digest);
    if (!this.over) offer(counts);
    return counts;
  }
}
