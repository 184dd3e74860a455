// The table of users: rows, heads that sort, and where in the list this is.

import { go, href } from "./address.js";
import { at, h, tell } from "./dom.js";
import { count, dateOf } from "./words.js";

export const PAGE = 25;

/** Show a list's answer for the state that asked for it. */
export function showUsers(body, state, client) {
  const focused = document.activeElement?.closest?.("#rows tr")?.dataset.user;
  at("rows").replaceChildren(...body.data.map((user) => row(user, client)));
  if (focused) at("rows").querySelector(`[data-user="${focused}"] a`)?.focus();
  at("table").hidden = body.data.length === 0;
  const { totalItems } = body.pagination;
  const page = Number(state.page);
  const from = (page - 1) * PAGE + 1;
  tell(at("shown"), body.data.length ? `${count(from)}–${count(from + body.data.length - 1)} of ${count(totalItems)}` : `0 of ${count(totalItems)}`);
  at("pager").hidden = totalItems <= PAGE && page === 1;
  turn("previous", page > 1, page - 1);
  turn("next", page * PAGE < totalItems, page + 1);
}

/** Show by which column the list is sorted, and what each head would do. */
export function showSort(sort) {
  for (const head of document.querySelectorAll("th[data-sort]")) {
    const name = head.dataset.sort;
    const direction = { [name]: "ascending", [`-${name}`]: "descending" }[sort];
    head.ariaSort = direction ?? null;
    head.querySelector("button").onclick = () => go({ sort: direction === "ascending" ? `-${name}` : name, page: 1 });
  }
}

/** Return an address whose suffix alone gives way where there is no room; its text stays whole. */
export function addressOf(email, client) {
  const suffix = `+${client}`;
  const [local, domain] = [email.slice(0, email.lastIndexOf("@")), email.slice(email.lastIndexOf("@"))];
  if (!local.endsWith(suffix)) return h("span", { class: "address" }, h("span", { class: "local" }, local), h("span", { class: "domain" }, domain));
  return h("span", { class: "address" },
    h("span", { class: "local" }, local.slice(0, -suffix.length)),
    h("span", { class: "suffix" }, suffix),
    h("span", { class: "domain" }, domain));
}

function row(user, client) {
  const name = user.name ?? user.username ?? `User ${user.id}`;
  return h("tr", { "data-user": user.id, onclick: open },
    h("td", {}, user.id),
    h("td", {}, h("a", { href: href({ user: user.id }) }, h("bdi", {}, name))),
    h("td", { title: user.email }, addressOf(user.email ?? "", client)),
    h("td", { title: user.timeZone ?? null }, user.timeZone ?? ""),
    h("td", {}, user.locale ?? ""),
    h("td", { title: user.createdDate ?? null }, dateOf(user.createdDate)));
}

function open(event) {
  // A link that is opened elsewhere, and text that is being selected, are nobody's click on a row.
  if (event.ctrlKey || event.metaKey || event.shiftKey || !getSelection().isCollapsed) return;
  event.preventDefault();
  go({ user: event.currentTarget.dataset.user });
}

function turn(id, possible, page) {
  at(id).disabled = !possible;
  at(id).onclick = () => go({ page });
}
