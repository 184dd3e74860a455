// Sweeps, changes, failures and blocks, each with what it meant: the run's record of who asked the
// origin, put together with the service's events about what was found.

import { href } from "./address.js";
import { at, h } from "./dom.js";
import { kindOf } from "./feed.js";
import { capital, count, notAsked, origin, timeOf, timesOf } from "./words.js";

const MOST = 40;
const MOST_NAMED = 4;
const ASKED_BY = {
  schedule: "on schedule", reader: "for a reader, who got what was stored", request: "for a request, which waited",
};
const FAULTS = {
  "status 503": "fail (503)", "status 429": "block us (429)", "status 401": "refuse the secret (401)",
  delay: "take four seconds a call", hang: "never answer", reset: "hang up", challenge: "send a bot check",
  lose_third: "lose a third of its users",
};

/** Show the newest of all that happened. */
export function showTimeline(entries, events) {
  const generations = Map.groupBy(events, (event) => event.data.generation);
  const items = entries.map((entry) => entry.kind === "origin" ? done(entry) : swept(entry, generations));
  const told = new Set(entries.map((entry) => entry.generation));
  for (const [generation, changes] of generations) {
    if (!told.has(generation)) items.push(published({ generation, time: changes[0].time }, changes));
  }
  items.sort((a, b) => a.time.localeCompare(b.time));
  const lines = items.reduce(together, []).reverse().slice(0, MOST);
  at("timeline").replaceChildren(...lines.map(line));
  at("no-timeline").hidden = lines.length > 0;
}

/** Put an item together with those before it that say the same. */
function together(items, item) {
  const last = items.at(-1);
  if (last && item.repeats && last.repeats === item.repeats) {
    items.splice(-1, 1, { ...item, times: (last.times ?? 1) + 1, first: last.first ?? last.time });
  } else {
    items.push(item);
  }
  return items;
}

function line({ kind, title, meaning, time, times, first, who }) {
  return h("li", { "data-kind": kind },
    h("p", {}, h("strong", {}, times ? `${title} (${count(times)}×)` : title),
      h("time", { datetime: time }, first ? timesOf(first, time) : timeOf(time))),
    meaning && h("p", { class: "meaning" }, meaning),
    who && h("p", { class: "who" }, who));
}

function swept(entry, generations) {
  const { time, outcome, reason, received } = entry;
  const changes = generations.get(entry.generation);
  if (outcome === "failed") return failed(entry);
  if (outcome === "skipped") {
    return { time, kind: "skipped", title: "Not asked", meaning: `The origin was left alone: ${notAsked(reason)}.`, repeats: `skipped ${reason}` };
  }
  // Whoever published a generation is who came with it first.
  if (changes && !changes.told && outcome !== "unchanged") {
    changes.told = true;
    return published(entry, changes);
  }
  if (outcome === "published") return published(entry, []);
  const calls = entry.calls ? `, ${entry.calls} ${entry.calls === 1 ? "call" : "calls"}` : "";
  return {
    time, kind: "swept", title: "Swept, nothing new", repeats: "unchanged",
    meaning: `What is stored counts as new again (${ASKED_BY[entry.by] ?? received}${calls}).`,
  };
}

function failed({ time, reason, received }) {
  if (reason === "origin-blocked" || received === 429) {
    return { time, kind: "blocked", title: "Blocked", repeats: "blocked", meaning: "The origin answered 429: nobody asks it until the block is over. What is stored is answered as before." };
  }
  return {
    time, kind: "failed", title: "Sweep failed", repeats: `failed ${reason ?? received}`,
    meaning: `${capital(origin(reason, received))}. What is stored is answered as before; the next try comes after a pause that grows.`,
  };
}

function published({ generation, time }, changes) {
  const baseline = changes.find((event) => kindOf(event) === "baseline");
  const item = { time, kind: "published", title: `Generation ${count(generation)} published` };
  if (baseline) return { ...item, meaning: `${count(baseline.data.users)} users. Nothing to compare with: whoever keeps a copy starts from here.` };
  if (!changes.length) return { ...item, meaning: "What changed is being read." };
  const kinds = Map.groupBy(changes, kindOf);
  const told = [...kinds].map(([kind, those]) => `${count(those.length)} ${kind}`).join(", ");
  return { ...item, meaning: `${capital(told)}. All callers see it; listeners were sent as many events.`, who: named(changes) };
}

function named(changes) {
  const some = changes.slice(0, MOST_NAMED).flatMap((event) => {
    const { before, after, userId, fields } = event.data;
    const what = kindOf(event) === "updated" ? ` ${fields.join(", ")}` : "";
    return [", ", h("a", { href: href({ user: userId }), "data-user": userId }, h("bdi", {}, (after ?? before)?.name ?? `User ${userId}`)), h("span", {}, what || ` ${kindOf(event)}`)];
  }).slice(1);
  return changes.length > MOST_NAMED ? [...some, ` and ${count(changes.length - MOST_NAMED)} more`] : some;
}

function done({ time, did }) {
  const item = { time, kind: "origin" };
  if (did.what === "faults") {
    const told = did.faults.map(({ kind, status }) => FAULTS[status ? `${kind} ${status}` : kind] ?? kind);
    return told.length
      ? { ...item, title: "You broke the origin", meaning: `It was told to ${told.join(" and to ")}. The service does not know before it asks.` }
      : { ...item, title: "You mended the origin", meaning: "It answers again. The service finds out with its next try." };
  }
  const verb = { POST: "signed up", PATCH: "changed", DELETE: "left" }[did.method];
  const who = did.user ? `User ${did.user} ${verb}` : `It has ${count(did.count)} users now`;
  return { ...item, title: "You changed the origin", meaning: `${who}. The next sweep finds out.` };
}
