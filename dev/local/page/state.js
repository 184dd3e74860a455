// What is stored: freshness counting down, and why it is stale where it is.

const WHY = {
  "stale-while-revalidate": "somebody is asking the origin",
  "stale-if-error": "the origin was asked and failed",
  "origin-blocked": "the origin blocks us; it is not asked until the block is over",
  "origin-backoff": "the origin failed and is given a pause",
  "origin-budget": "the call budget of this minute is used up",
  "lease-held": "somebody else is asking the origin",
  frozen: "this deployment never asks the origin again",
  "store-error": "the table cannot be read",
};
const INCOMPLETE = {
  "window-full": "and maybe more: the origin lists 500",
  "adoption-limit": "and maybe more: no further ones are kept",
  "unconfirmed-deletions": "some may be gone",
  "fields-omitted": "all users, but not all of their fields",
};

const at = (id) => document.getElementById(id);
const seconds = (value) => (value < 120 ? `${value} s` : value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`);
const time = (text) => new Date(text).toLocaleTimeString();

/** Show the body of `cache`, and the freshness that the last read of users told. */
export function showState(cache, freshness, lifetime) {
  at("fact-users").textContent = cache.users.toLocaleString();
  at("fact-complete").textContent = cache.complete ? "complete" : INCOMPLETE[cache.incompleteReason] ?? "not complete";
  at("fact-generation").textContent = cache.generation;
  at("fact-digest").textContent = cache.digest ? cache.digest.slice(0, 12) : "";
  at("fact-age").textContent = cache.age === null ? "never" : `${seconds(cache.age)} ago`;
  const older = cache.oldestObservationAge > cache.age + 1;
  at("fact-oldest").textContent = older ? `some of them ${seconds(cache.oldestObservationAge)} ago` : "at the origin";
  at("fact-budget").textContent = cache.originBudget.remaining;
  at("fact-limit").textContent = `of ${cache.originBudget.limit} a minute`;

  if (cache.generation === 0) return say("stale", "Nothing stored", cache.lastError ?? "the first question asks the origin", 0);
  const left = lifetime - cache.age;
  if (left > 0) {
    const trouble = cache.lastError ? `the origin fails: ${cache.lastError}` : "";
    return say("fresh", `Fresh for ${seconds(left)}`, trouble, left / lifetime);
  }
  return say("stale", `Stale for ${seconds(-left)}`, why(cache, freshness), 0);
}

/** Say that there is nothing to show. */
export function showFailure(text) {
  say("error", "Not available", text, 0);
}

function why(cache, detail) {
  const told = [WHY[detail] ?? (cache.revalidating ? WHY["stale-while-revalidate"] : "")];
  if (cache.lastError) told.push(`last error: ${cache.lastError}`);
  const until = cache.blockedUntil ?? cache.retryAt;
  if (until && new Date(until) > new Date()) told.push(`asked again at ${time(until)}`);
  return told.filter(Boolean).join("; ") || "the next question asks the origin";
}

function say(state, word, why, share) {
  at("state").dataset.state = state;
  // A status that repeats itself every second would be read out every second.
  const spoken = at("word");
  if (spoken.textContent !== word) {
    spoken.setAttribute("aria-live", spoken.dataset.state === state ? "off" : "polite");
    spoken.dataset.state = state;
    spoken.textContent = word;
  }
  if (at("why").textContent !== why) at("why").textContent = why;
  at("left").style.width = `${Math.round(share * 100)}%`;
}
