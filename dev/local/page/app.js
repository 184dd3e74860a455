// Wires the page: what is asked, when, and where the answers go. The address says what is wanted.

import { FILTERS, follow, go, here } from "./address.js";
import { Api, ask, reason } from "./api.js";
import { at, tell } from "./dom.js";
import { setUpDouble, showDouble } from "./double.js";
import { closeDrawer, openDrawer } from "./drawer.js";
import { Facets, meant, offer } from "./facets.js";
import { Feed } from "./feed.js";
import { addRequest } from "./requests.js";
import { showFailure, showState, tick, windowsOf } from "./state.js";
import { showTimeline } from "./timeline.js";
import { clearAll, showEmpty, showRefused } from "./trouble.js";
import { PAGE, showSort, showUsers } from "./users.js";

const LOOK_MILLISECONDS = 2000;
const TYPING_MILLISECONDS = 250;

const clients = JSON.parse(at("clients").textContent);
let session;
let typing = null;
let typed = false;

/** What is known of one client. */
class Session {
  constructor(client) {
    this.client = client;
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
    this.looking = (this.looking ?? Promise.resolve()).then(() => this.#look());
    return this.looking;
  }

  async #look() {
    if (this !== session) return;
    const [answer, happened] = await Promise.all([
      this.api.get("/cache", { quiet: true }),
      ask(`/local/timeline?client=${encodeURIComponent(this.client)}&after=${this.sequence}`, { headers: { "X-Poll": "true" } }),
    ]);
    if (this !== session) return;
    if (answer.status !== 200) return showFailure(reason(answer));
    const before = this.cache;
    const { generation } = this.cache = answer.body.data;
    // A run that was started anew has another history.
    if (generation < before?.generation || happened.body?.sequence < this.sequence) return choose(this.client);
    showState(this.cache, this.windows, this.detail);
    if (happened.status === 200) this.#happened(happened.body);
    if (generation && generation !== before?.generation) await this.#changed(generation);
    if (this.#behind) await this.list(here(), { again: true });
    this.#tell();
  }

  #happened({ entries, sequence, origin }) {
    this.entries = [...this.entries, ...entries].slice(-500);
    this.sequence = sequence;
    showDouble(origin);
  }

  async #changed(generation) {
    await this.feed.follow(generation);
    if (here().user && this === session) await openDrawer(this.api, this.feed, here().user, generation);
  }

  /** Whether the list that is shown may be older than what is stored. */
  get #behind() {
    return !this.asking && Date.now() >= this.askedAgainAt && this.listed !== this.cache.generation;
  }

  #tell() {
    const said = `${this.sequence} ${this.feed.events.length}`;
    if (this === session && said !== this.told) showTimeline(this.entries, this.feed.events);
    this.told = said;
  }

  async list(state, { again = false } = {}) {
    const query = await this.#query(state);
    if (this !== session || (query === this.query && !again)) return;
    this.query = query;
    this.asking = true;
    const answer = await this.api.get(`/users${query}`);
    if (this !== session || query !== this.query) return;
    this.asking = false;
    this.askedAgainAt = Date.now() + 1000 * answer.headers.get("Retry-After");
    if (answer.status === 0) return;
    if (answer.status !== 200 && answer.status !== 304) {
      this.rows = [];
      // What is refused now is refused until something changes.
      if (answer.status < 500) this.listed = this.cache?.generation;
      return showRefused(answer, state, clients[0]);
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
    if (this === session) offer(counts);
    return counts;
  }
}

function choose(client) {
  session = new Session(client);
  if (!clients.includes(client)) at("client").append(new Option(`${client} (unknown)`, client));
  at("client").value = client;
  at("timeline").replaceChildren();
  show(here());
  return session.look();
}

function show(state) {
  const client = state.client || clients[0];
  if (client !== session?.client) return choose(client);
  if (!typing) for (const name of FILTERS) at("filters").elements[name].value = state[name];
  at("order").value = state.sort;
  showSort(state.sort);
  session.list(state);
  if (state.user) openDrawer(session.api, session.feed, state.user, session.cache?.generation);
  else closeDrawer();
}

async function revalidate() {
  at("revalidate").disabled = true;
  tell(at("revalidated"), "Asking the origin…");
  const answer = await session.api.send("POST", "/cache/refresh?wait=true");
  const done = answer.body?.data;
  const told = { published: "Something had changed", unchanged: "Nothing had changed", joined: "A sweep was under way already" };
  const again = answer.headers.get("Retry-After");
  tell(at("revalidated"), answer.status === 200
    ? `${told[done.outcome] ?? done.outcome}: generation ${done.generation}.`
    : `${reason(answer)}${again ? ` Ask again in ${again} s.` : ""}`);
  at("revalidate").disabled = false;
  await session.look();
}

function filter() {
  typing = null;
  const given = Object.fromEntries(FILTERS.map((name) => [name, at("filters").elements[name].value]));
  // One step back leads to before the typing, not to its last letter.
  go({ ...given, page: 1 }, { replace: typed });
  typed = true;
}

/** Look every two seconds, but only while somebody may be looking at the page. */
function keepLooking() {
  let beat;
  const look = async () => {
    clearTimeout(beat);
    await session.look();
    clearTimeout(beat);
    if (!document.hidden) beat = setTimeout(look, LOOK_MILLISECONDS);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(beat) : look()));
  setInterval(() => document.hidden || tick(), 1000);
  beat = setTimeout(look, LOOK_MILLISECONDS);
}

function start() {
  at("client").append(...clients.map((client) => new Option(client, client)));
  at("client").addEventListener("change", ({ target }) => go({ client: target.value === clients[0] ? "" : target.value, page: 1, user: "" }));
  const form = at("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => { event.preventDefault(); clearAll(); });
  form.addEventListener("focusout", () => { typed = false; });
  form.addEventListener("focusin", ({ target }) => target.list && session.counts());
  form.addEventListener("input", ({ target }) => {
    if (!FILTERS.includes(target.name)) return;
    clearTimeout(typing);
    typing = setTimeout(filter, TYPING_MILLISECONDS);
  });
  at("order").addEventListener("change", ({ target }) => go({ sort: target.value, page: 1 }));
  at("revalidate").addEventListener("click", revalidate);
  at("drawer").addEventListener("close", () => go({ user: "" }));
  at("drawer").addEventListener("click", ({ target }) => target === at("drawer") && go({ user: "" }));
  at("timeline").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-user]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ user: link.dataset.user });
  });
  setUpDouble({ client: () => session.client, rows: () => session.rows, acted: () => session.look() });
  follow(show);
  keepLooking();
}

start();
