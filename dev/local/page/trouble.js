// What is said in place of rows: nobody there, nobody found, refused, failed; and a way on.

import { FILTERS, go } from "./address.js";
import { reason } from "./api.js";
import { at, h } from "./dom.js";
import { PAGE } from "./users.js";
import { count } from "./words.js";

const LABELS = { q: "search", timeZone: "time zone", locale: "locale", createdAfter: "date", sort: "order" };
const nothing = Object.fromEntries(FILTERS.map((name) => [name, ""]));

export const clearAll = () => go({ ...nothing, page: 1 });

/** Say why a list that was answered has no rows; say nothing where it has some. */
export function showEmpty(body, state, signUp) {
  const { totalItems, complete } = body.pagination;
  const given = FILTERS.filter((name) => state[name]);
  mark(null);
  if (body.data.length) return say();
  if (totalItems) {
    const last = Math.ceil(totalItems / PAGE);
    return say(`There is no page ${state.page}`, `The list ends with page ${count(last)}.`, [[`Go to page ${count(last)}`, () => go({ page: last })]]);
  }
  if (given.length) {
    const more = complete ? "" : " There may be users who are not listed yet; by their address or id the service looks them up at the origin.";
    return say("Nobody matches", `No user fits ${given.map((name) => `${LABELS[name]} “${state[name]}”`).join(" and ")}.${more}`, ways(given));
  }
  return say("No managed users yet", "The origin lists none for this client. Whoever is signed up there is here after the next sweep.", signUp ? [["Sign somebody up", signUp]] : []);
}

/** Say why there is no list, and what can be done. */
export function showRefused(answer, state, first) {
  const { parameter, suggestion } = answer.body?.error?.details ?? {};
  at("table").hidden = at("pager").hidden = true;
  at("shown").textContent = "";
  mark(parameter);
  if (answer.status === 400 && parameter in LABELS) {
    return say(`The ${LABELS[parameter]} makes no sense`, reason(answer), [
      ...(suggestion ? [[`Use ${suggestion}`, () => go({ [parameter]: suggestion, page: 1 })]] : []),
      ...ways(parameter === "sort" ? [] : [parameter]),
      ...(parameter === "sort" ? [["Sort by id", () => go({ sort: "id" })]] : []),
    ]);
  }
  if (answer.status === 400) return say("The service refuses this", reason(answer), [["Start again", () => go({ ...nothing, sort: "id", page: 1 })]]);
  if (answer.status === 404) return say("There is no such client here", reason(answer), [[`Go to ${first}`, () => go({ client: "", page: 1 })]]);
  return say("There is nothing to show yet", `${reason(answer)} This page asks again by itself.`);
}

function ways(names) {
  const each = names.map((name) => [`Without the ${LABELS[name]}`, () => go({ [name]: "", page: 1 })]);
  return names.length > 1 ? [...each, ["Without all of them", clearAll]] : each;
}

/** Mark the field of the parameter that was refused, and no other. */
function mark(parameter) {
  for (const field of at("filters").elements) {
    if (field.name) field.ariaInvalid = field.name === parameter ? "true" : null;
  }
}

function say(title = "", text = "", actions = []) {
  const trouble = at("trouble");
  trouble.hidden = !title;
  // What is there already is not read out again.
  if (trouble.dataset.said === `${title}${text}`) return;
  trouble.dataset.said = `${title}${text}`;
  trouble.replaceChildren(h("h3", {}, title), h("p", {}, text),
    h("p", { class: "ways" }, actions.map(([label, act]) => h("button", { type: "button", class: "quiet", onclick: act }, label))));
}
