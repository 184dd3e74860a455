// Wires the page: what is asked, when, and where the answers go.

import { Api, links, reason } from "./api.js";
import { addChanges, addRequest, showUsers } from "./lists.js";
import { showFailure, showState } from "./state.js";

const LOOK_MILLISECONDS = 2000;
const PAGE = 25;
const at = (id) => document.getElementById(id);

let api;
let query = "";
let place = {};
let detail = "";
let lifetime = 120;
let generation = null;

function observe(seen) {
  addRequest(at("requests"), seen);
}

function complain(text) {
  at("error").textContent = text;
  at("error").hidden = !text;
}

async function look() {
  const answer = await api.get("/cache", { quiet: true });
  if (answer.status !== 200) return showFailure(reason(answer));
  const cache = answer.body.data;
  showState(cache, detail, lifetime);
  if (generation !== null && cache.generation > generation) {
    const changes = await api.get(`/cache/changes?since=${generation}`);
    if (changes.status === 200) {
      addChanges(at("changes"), changes.body.data);
      at("no-changes").hidden = true;
    }
    await list(query);
  }
  generation = cache.generation;
}

async function list(wanted) {
  query = wanted;
  const answer = await api.get(`/users${wanted}`);
  if (wanted !== query) return;
  if (answer.status === 410) return list(first());
  if (answer.status !== 200 && answer.status !== 304) return complain(reason(answer));
  complain("");
  detail = /detail=([\w-]+)/.exec(answer.headers.get("Cache-Status") ?? "")?.[1] ?? "";
  lifetime = Number(/max-age=(\d+)/.exec(answer.headers.get("Cache-Control") ?? "")?.[1] ?? lifetime);
  showUsers(answer.body, at("rows"));
  // A 304 to a filtered list has no links: those of the answer that is known still hold.
  if (answer.headers.has("Link")) place[wanted] = links(answer.headers);
  const { prev, next } = place[wanted] ?? {};
  at("previous").disabled = !prev;
  at("next").disabled = !next;
  const { totalItems, returnedItems } = answer.body.pagination;
  at("shown").textContent = `${returnedItems.toLocaleString()} of ${totalItems.toLocaleString()}`;
}

function first() {
  const given = new URLSearchParams({ limit: PAGE });
  for (const [name, value] of new FormData(at("filters"))) {
    if (value && !(name === "sort" && value === "id")) given.set(name, value);
  }
  return `?${given}`;
}

async function revalidate() {
  at("revalidate").disabled = true;
  at("revalidated").textContent = "Asking the origin…";
  const answer = await api.send("POST", "/cache/refresh?wait=true");
  const done = answer.body?.data;
  at("revalidated").textContent = answer.status === 200 ? `${done.outcome}, generation ${done.generation}` : reason(answer);
  at("revalidate").disabled = false;
  await look();
  await list(query);
}

function choose(client) {
  api = new Api(client, observe);
  generation = null;
  place = {};
  at("changes").replaceChildren();
  at("no-changes").hidden = false;
  list(first()).then(look);
}

function start() {
  const clients = JSON.parse(at("clients").textContent);
  at("client").append(...clients.map((client) => new Option(client, client)));
  at("client").addEventListener("change", (event) => choose(event.target.value));
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  at("filters").addEventListener("reset", () => setTimeout(() => list(first())));
  let typing;
  at("filters").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => list(first()), 250);
  });
  at("previous").addEventListener("click", () => list(place[query].prev));
  at("next").addEventListener("click", () => list(place[query].next));
  at("revalidate").addEventListener("click", revalidate);
  choose(clients[0]);
  setInterval(look, LOOK_MILLISECONDS);
}

start();
