/** Writes questions as queries, and takes the next one from a `Link`. */

import type { Filters } from "./models.js";

/** Return the parameters of a question; what is `undefined` is not asked. */
export function parametersOf(question: Partial<Filters> | string): URLSearchParams {
  if (typeof question === "string") return new URLSearchParams(question);
  const { metadata = {}, ...filters } = question;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    if (value !== undefined) {
      // A list becomes its members with commas between them; an empty one is refused there.
      parameters.append(name, value instanceof Date ? value.toISOString() : String(value));
    }
  }
  for (const [key, value] of Object.entries(metadata)) {
    const members = Array.isArray(value) ? value : [value];
    // No parameter at all would mean everybody.
    if (members.length === 0) throw new TypeError(`metadata.${key} is an empty list`);
    for (const member of members) {
      parameters.append(
        `metadata[${key}]`,
        typeof member === "string" ? member : JSON.stringify(member),
      );
    }
  }
  return parameters;
}

/** Return a query in the form that every signer agrees on: sorted, without a raw `+`. */
export function queryOf(parameters: URLSearchParams): string {
  parameters.sort();
  return parameters.toString().replaceAll("+", "%20");
}

/** Return the query that `link` names as the next, null if it names none. */
export function nextOf(link: string | null, asked: URLSearchParams): string | null {
  const reference = /<\?([^>]*)>; rel="next"/.exec(link ?? "")?.[1];
  if (reference === undefined) return null;
  const next = new URLSearchParams(reference);
  // A link with no room for the question holds these alone, and is to be sent beside it.
  if ([...next.keys()].every((name) => name === "limit" || name === "cursor")) {
    for (const [name, value] of asked) if (!next.has(name)) next.append(name, value);
    next.delete("offset");
    next.delete("min_generation");
  }
  return queryOf(next);
}
