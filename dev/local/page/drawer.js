// Everything known of one user: fields, history, the request, the document.

import { reason } from "./api.js";
import { at, copier, h } from "./dom.js";
import { kindOf } from "./feed.js";
import { addressOf } from "./users.js";
import { momentOf, timeOf } from "./words.js";

const FIRST = ["id", "email", "username", "name", "timeZone", "locale", "createdDate", "updatedAt"];
const INSTANTS = ["createdDate", "updatedAt"];

/** Open the drawer for a user, and fill it; `feed` knows what happened to him. */
export async function openDrawer(api, feed, userId, generation) {
  const drawer = at("drawer");
  if (!drawer.open) drawer.showModal();
  if (drawer.dataset.user !== userId) at("person").replaceChildren(h("p", { class: "note" }, "Reading…"));
  drawer.dataset.user = userId;
  const path = `/users/${encodeURIComponent(userId)}`;
  const [answer] = await Promise.all([api.get(path), generation ? feed.follow(generation) : null]);
  if (drawer.dataset.user !== userId) return;
  const user = answer.body?.data;
  const history = feed.of(userId);
  at("drawer-name").replaceChildren(h("bdi", {}, user?.name ?? user?.username ?? `User ${userId}`));
  at("person").replaceChildren(...(user ? [
    section("Fields", fields(user, api.client)),
    section("History", changes(history), "Newest first."),
    section("Request", code(`curl '${location.origin}${api.base}${path}'`)),
    section("Document", code(JSON.stringify(user, null, 2))),
  ] : [
    h("p", { class: "error" }, reason(answer)),
    history.length ? section("History", changes(history)) : h("p", { class: "note" }, "No change is remembered either."),
  ]));
}

export function closeDrawer() {
  at("drawer").close();
  delete at("drawer").dataset.user;
}

function section(title, content, note = "") {
  const copy = content.dataset.copied === undefined ? null : copier(() => content.textContent);
  return h("section", {}, h("h3", {}, title, copy), content, note && content.tagName === "OL" ? h("p", { class: "note" }, note) : null);
}

const code = (text) => h("pre", { tabindex: 0, "data-copied": true }, text);

function fields(user, client) {
  const names = [...FIRST.filter((name) => name in user), ...Object.keys(user).filter((name) => !FIRST.includes(name))];
  return h("dl", { class: "fields" }, names.map((name) => [h("dt", {}, name), h("dd", {}, value(name, user[name], client))]));
}

function value(name, known, client) {
  if (known === null) return h("span", { class: "note" }, "none");
  if (name === "email") return addressOf(known, client);
  if (INSTANTS.includes(name)) return h("time", { datetime: known }, momentOf(known));
  if (typeof known === "object") return h("code", {}, JSON.stringify(known));
  return h("bdi", {}, String(known));
}

function changes(history) {
  if (!history.length) return h("p", { class: "note" }, "No change is remembered.");
  return h("ol", { class: "history" }, history.map((event) => h("li", {},
    h("p", {}, h("strong", {}, kindOf(event)), h("time", { datetime: event.time }, `${timeOf(event.time)}, generation ${event.data.generation}`)),
    kindOf(event) === "updated" && event.data.before ? event.data.fields.map((name) => h("p", { class: "changed" },
      h("code", {}, name), " ", h("del", {}, short(event.data.before[name])), " → ", h("ins", {}, short(event.data.after[name])))) : null)));
}

function short(known) {
  const text = typeof known === "string" ? known : JSON.stringify(known) ?? "none";
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
