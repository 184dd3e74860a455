// The lists of the page: users, changes, requests. Text only ever becomes text, never markup.

const MOST_LINES = 30;

export function showUsers(body, rows) {
  rows.replaceChildren(...body.data.map((user) => line("tr", [
    user.id, user.name ?? "", user.email, user.timeZone, user.locale ?? "", (user.createdDate ?? "").slice(0, 10),
  ].map((value) => cell(value)))));
  if (body.data.length === 0) {
    const none = cell("Nobody fits.");
    none.colSpan = 6;
    rows.replaceChildren(line("tr", [none]));
  }
}

export function addChanges(list, changes) {
  const when = new Date().toLocaleTimeString();
  const told = [
    ...changes.created.map((id) => ["created", id, ""]),
    ...changes.discovered.map((id) => ["discovered", id, ""]),
    ...changes.updated.map(({ id, fields }) => ["updated", id, fields.join(", ")]),
    ...changes.deleted.map((id) => ["deleted", id, ""]),
  ];
  for (const [kind, id, fields] of told) {
    prepend(list, line("li", [
      span("kind", kind), ` ${id} ${fields}`,
      span("told", `${when}, generation ${changes.generation}`),
    ]));
  }
}

export function addRequest(list, seen) {
  const kind = seen.status === 304 ? "status not-modified" : seen.status < 400 ? "status" : "status failed";
  const told = [
    seen.cacheStatus, seen.age === null ? null : `Age: ${seen.age}`, `${seen.milliseconds.toFixed(0)} ms`,
  ].filter(Boolean).join(" · ");
  prepend(list, line("li", [
    line("code", [seen.line]), " ", span(kind, seen.status), span("told", told),
  ]));
}

function prepend(list, item) {
  list.prepend(item);
  while (list.children.length > MOST_LINES) list.lastChild.remove();
}

function line(name, children) {
  const element = document.createElement(name);
  element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

function cell(value) {
  const element = line("td", [value]);
  element.title = String(value);
  return element;
}

function span(name, text) {
  const element = line("span", [text]);
  element.className = name;
  return element;
}
