// How numbers, times and reasons are said.

const number = new Intl.NumberFormat();
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const count = (value) => number.format(value);
export const dateOf = (text) => (text ? day.format(new Date(text)) : "");
export const momentOf = (text) => moment.format(new Date(text));

/** Return the time of an instant, with the day unless that is today. */
export function timeOf(text) {
  const then = new Date(text);
  return (then.toDateString() === new Date().toDateString() ? clock : moment).format(then);
}

/** Return the times of two instants of one day as a range, else that of the last. */
export function timesOf(first, last) {
  const [from, to] = [new Date(first), new Date(last)];
  return from.toDateString() === to.toDateString() ? clock.formatRange(from, to) : timeOf(last);
}

/** Return a duration in its largest unit that is not too coarse. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.round(whole / 60)} min`;
  if (whole < 172_800) return `${Math.round(whole / 3600)} h`;
  return `${Math.round(whole / 86_400)} days`;
}

export const secondsUntil = (text) => (text ? (Date.parse(text) - Date.now()) / 1000 : 0);

/** What a reason of the service means, as the end of “the origin …”. */
const ORIGIN = {
  deadline: "was too slow to be finished with",
  "origin-5xx": "fails: it answers with errors of its own (5xx)",
  "origin-auth": "refuses the secret (401 or 403)",
  "origin-blocked": "blocks us for making too many calls (429)",
  "origin-challenge": "sends a bot check instead of an answer",
  "origin-connection": "cannot be reached",
  "origin-not-found": "does not know this client (404)",
  "origin-status": "answers with a status that makes no sense",
  "origin-timeout": "does not answer in time",
  "loss-doubted": "lists far fewer users than before, which is not believed at once",
};

export function origin(reason, status) {
  if (ORIGIN[reason]) return `the origin ${ORIGIN[reason]}`;
  if (status) return `the origin answered ${status}`;
  return reason ? `the origin's answer cannot be used (${reason})` : "the origin did not answer";
}

/** Why the origin was not asked. */
const NOT_ASKED = {
  frozen: "this deployment never asks the origin again",
  "lease-held": "somebody else is asking it already",
  "origin-backoff": "it failed and is given a pause",
  "origin-blocked": "it blocks us until its block is over",
  "origin-budget": "this minute's share of its rate limit is used up",
  "refresh-floor": "it was asked by force less than 10 s ago",
};

export const notAsked = (reason) => NOT_ASKED[reason] ?? reason;

/** Why a directory is not known to be complete. */
const INCOMPLETE = {
  "window-full": "and maybe more: the origin lists 500",
  "adoption-limit": "and maybe more: no further ones are kept",
  "members-undecided": "and some who are being told apart",
  "list-unfinished": "so far: the first sweep goes on",
  "unconfirmed-deletions": "some of whom may be gone",
  "fields-omitted": "all of them, but not all their fields",
};

export const completeness = (cache) => (cache.complete ? "complete" : INCOMPLETE[cache.incompleteReason] ?? "not complete");

export const capital = (text) => text[0].toUpperCase() + text.slice(1);
