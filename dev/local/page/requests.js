// What the page asked the service, and how each answer came by.

import { h } from "./dom.js";

const MOST = 30;

export function addRequest(list, { line, status, cacheStatus, age, milliseconds }) {
  const kind = status === 304 ? "not-modified" : status < 400 ? "ok" : "failed";
  const told = [cacheStatus, age === null ? null : `Age: ${age}`, `${milliseconds.toFixed(0)} ms`].filter(Boolean).join(" · ");
  list.prepend(h("li", {}, h("code", {}, line), " ", h("span", { class: `status ${kind}` }, status), h("span", { class: "told" }, told)));
  while (list.children.length > MOST) list.lastChild.remove();
}
