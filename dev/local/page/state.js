// What is stored, and what that means for callers: how old their answers are, and until when.

import { at, tell } from "./dom.js";
import { capital, completeness, count, notAsked, origin, secondsUntil, span, timeOf } from "./words.js";

let shown = null;

/** Return the freshness windows that an answer's Cache-Control says, in seconds. */
export function windowsOf(cacheControl) {
  const seconds = (name) => Number(new RegExp(`${name}=(\\d+)`).exec(cacheControl)?.[1] ?? NaN);
  return { fresh: seconds("max-age"), whileRevalidate: seconds("stale-while-revalidate"), ifError: seconds("stale-if-error") };
}

/** Show the body of `cache`, and the windows and the detail that the last read of users told. */
export function showState(cache, windows, detail) {
  shown = { cache, windows, detail, at: performance.now() };
  tell(at("fact-users"), count(cache.users));
  tell(at("fact-complete"), cache.generation ? completeness(cache) : "");
  tell(at("fact-generation"), count(cache.generation));
  tell(at("fact-digest"), cache.digest?.slice(0, 12) ?? "");
  tell(at("fact-budget"), count(cache.originBudget.remaining));
  tell(at("fact-limit"), `of ${count(cache.originBudget.limit)} a minute`);
  tick();
}

/** Say that there is nothing to show. */
export function showFailure(text) {
  shown = null;
  say({ state: "error", word: "Not available", why: `${text} Tried again every two seconds.` });
}

/** Count on from what was shown last. */
export function tick() {
  if (!shown) return;
  const { cache } = shown;
  const since = (performance.now() - shown.at) / 1000;
  const age = cache.age === null ? null : cache.age + since;
  const oldest = cache.oldestObservationAge > cache.age + 1 ? `some of them ${span(cache.oldestObservationAge + since)} ago` : "at the origin";
  tell(at("fact-age"), age === null ? "never" : `${span(age)} ago`);
  tell(at("fact-oldest"), age === null ? "" : oldest);
  say(meaning(cache, age, shown));
}

/** Return {state, word, why, share}: the state of what is stored, in what it means for callers. */
function meaning(cache, age, { windows, detail }) {
  if (cache.lastError) return outage(cache, age, windows);
  if (!cache.generation) return { state: "stale", word: "Nothing stored yet", why: "The first question asks the origin and waits for it." };
  const left = windows.fresh - age;
  if (!(left <= 0)) {
    const word = left ? `Fresh for ${span(left)}` : "Fresh";
    return { state: "fresh", word, why: "Answers come from what is stored; nobody waits.", share: left / windows.fresh };
  }
  return { state: "stale", word: `Stale for ${span(-left)}`, why: stale(cache, -left, windows, detail) };
}

function stale(cache, late, windows, detail) {
  if (detail === "frozen" || detail === "origin-budget") return `Answers go on: ${notAsked(detail)}.`;
  if (cache.revalidating) return "Answers go on while the origin is asked.";
  if (late <= windows.whileRevalidate) return "The next question is answered at once and has the origin asked.";
  return "The next question asks the origin and waits for it.";
}

function outage(cache, age, windows) {
  const until = cache.blockedUntil ?? cache.retryAt;
  const wait = secondsUntil(until);
  const what = cache.blockedUntil && wait > 0 ? `blocks us until ${timeOf(until)} (429)` : null;
  const next = wait > 0 ? `next try in ${span(wait)}` : `next try within ${span(cache.revalidationInterval)}`;
  const why = `${capital(what ? `the origin ${what}` : origin(cache.lastError))}.`;
  const left = windows.fresh + windows.ifError - age;
  if (cache.generation && !(left <= 0)) {
    const end = left ? ` They may for another ${span(left)}.` : "";
    return { state: "outage", word: `Answers go on, ${span(age)} old; ${next}`, share: 1 - age / windows.fresh, why: `${why} Callers get what is stored, and see it in Age and Cache-Status.${end}` };
  }
  return { state: "error", word: `No answers; ${next}`, why: `${why} Nothing that may be used is stored, so callers get an error that says when to ask again.` };
}

function say({ state, word, why, share = 0 }) {
  const said = at("word");
  // A status that repeats itself every second would be read out every second.
  said.setAttribute("aria-live", at("state").dataset.state === state ? "off" : "polite");
  at("state").dataset.state = state;
  tell(said, word);
  tell(at("why"), why);
  at("left").style.width = `${Math.round(Math.min(1, Math.max(0, share || 0)) * 100)}%`;
}
