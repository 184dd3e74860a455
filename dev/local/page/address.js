// The address of the page is its one state: whoever reloads, goes back or shares it sees the same.

const UNSAID = {
  client: "", q: "", timeZone: "", locale: "", createdAfter: "", sort: "id", page: "1", user: "",
};
export const FILTERS = ["q", "timeZone", "locale", "createdAfter"];

const listeners = [];

/** Return the state that the address says. */
export function here() {
  const said = new URLSearchParams(location.search);
  return Object.fromEntries(Object.entries(UNSAID).map(([name, value]) => [name, said.get(name) ?? value]));
}

/** Return the address of this state with `changes`. */
export function href(changes) {
  const wanted = Object.entries({ ...here(), ...changes }).filter(([name, value]) => String(value) !== UNSAID[name]);
  const query = new URLSearchParams(wanted).toString();
  return query ? `?${query}` : location.pathname;
}

/** Go to another state. `replace`: without a step to come back from. */
export function go(changes, { replace = false } = {}) {
  const wanted = href(changes);
  if (wanted === href({})) return;
  history[replace ? "replaceState" : "pushState"](null, "", wanted);
  tell();
}

/** Have `listener` called with the state, now and whenever it changes. */
export function follow(listener) {
  listeners.push(listener);
  listener(here());
}

function tell() {
  for (const listener of listeners) listener(here());
}

addEventListener("popstate", tell);
