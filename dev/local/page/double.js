// On a local run: breaks the origin double and mends it, so that anybody can watch what happens.

import { ask } from "./api.js";
import { at, h, tell } from "./dom.js";

const FAULTS = [
  { label: "Fail", fault: { kind: "status", status: 503 }, expect: "Every call gets a 503. Answers go on from what is stored, and the pauses between tries grow." },
  { label: "Slow down", fault: { kind: "delay", seconds: 4 }, expect: "Every call takes four seconds. Nobody notices but the sweeps." },
  { label: "Hang up", fault: { kind: "reset" }, expect: "Connections break. To callers it is as if it failed." },
  { label: "Block us", fault: { kind: "status", status: 429 }, expect: "We are blocked for a minute, and do not ask until that is over, even if you mend it." },
  { label: "Refuse the secret", fault: { kind: "status", status: 401 }, expect: "As if somebody had rotated it. The service fetches the secret again, and waits." },
  { label: "Bot check", fault: { kind: "challenge" }, expect: "Its edge sends a page instead of users, which is told apart from an answer." },
  { label: "Lose a third", fault: { kind: "lose_third" }, expect: "A loss so large is doubted: those who are missing stay listed until they are asked for one by one." },
];

/** Set the buttons up; `acted` is called when something was done, `client` says whose users. */
export function setUpDouble({ client, rows, acted }) {
  const control = async (method, path, body, said) => {
    const answer = await ask(`/local/origin/${path}`, { method, body: JSON.stringify(body) });
    tell(at("double-note"), answer.status === 200 ? said : answer.body?.error ?? "The origin double cannot be reached.");
    acted();
  };
  const users = () => `clients/${encodeURIComponent(client())}/users`;
  const ofThose = (act) => () => (rows().length ? act(rows()[Math.floor(Math.random() * rows().length)]) : tell(at("double-note"), "Nobody is shown who could be."));
  at("faults").replaceChildren(...FAULTS.map(({ label, fault, expect }) => h("button", {
    type: "button", class: "quiet small", "aria-pressed": "false", "data-fault": nameOf(fault),
    onclick: ({ currentTarget: button }) => button.ariaPressed === "true"
      ? mend(control)
      : control("PUT", "faults", [fault], expect),
  }, label)));
  at("mend").onclick = () => mend(control);
  at("sign-up").onclick = () => control("POST", users(), {}, "Signed up at the origin. Revalidate, or wait for the next sweep.");
  at("rename").onclick = ofThose(({ id, name }) => control("PATCH", `${users()}/${id}`, { name: nextName(name) }, `Changed ${name}'s name at the origin. Revalidate, or wait for the next sweep.`));
  at("remove").onclick = ofThose(({ id, name }) => control("DELETE", `${users()}/${id}`, null, `Removed ${name} at the origin. Revalidate, or wait for the next sweep.`));
}

/** Show which fault the double has; null: this run has no double. */
export function showDouble(origin) {
  at("double").hidden = origin === null;
  for (const button of at("faults").children) {
    button.ariaPressed = String(Boolean(origin?.faults.includes(button.dataset.fault)));
  }
  at("mend").disabled = !origin?.faults.length;
}

async function mend(control) {
  // Its block goes, too: setting limits opens all windows.
  await control("PUT", "faults", [], "It answers again; the service finds out with its next try.");
  await ask("/local/origin/limits", { method: "PUT", body: "{}" });
}

const nameOf = ({ kind, status }) => (status ? `${kind} ${status}` : kind);
const nextName = (name) => (name?.endsWith(" II") ? name.slice(0, -3) : `${name ?? "Somebody"} II`);
