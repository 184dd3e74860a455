// Wires the page: what is done about a click, a letter, a look. The address says what is wanted.

import { FILTERS, follow, go, here } from "./address.js";
import { reason } from "./api.js";
import { at, tell } from "./dom.js";
import { setUpDouble } from "./double.js";
import { closeDrawer, openDrawer } from "./drawer.js";
import { Session } from "./session.js";
import { tick } from "./state.js";
import { clearAll } from "./trouble.js";
import { showSort } from "./users.js";

const LOOK_MILLISECONDS = 2000;
const TYPING_MILLISECONDS = 250;

const clients = JSON.parse(at("clients").textContent);
let session;
let typing = null;
let typed = false;

function choose(client) {
  if (session) session.over = true;
  session = new Session(client, { first: clients[0], restarted: () => choose(client) });
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
    try {
      await session.look();
    } finally {
      clearTimeout(beat);
      if (!document.hidden) beat = setTimeout(look, LOOK_MILLISECONDS);
    }
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
