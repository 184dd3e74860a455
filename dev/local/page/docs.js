// Shows the interface as the service itself describes it, made ready to be tried: what has to be
// given is what this run has, and what may be given is offered and not sent.

import { Api, ask } from "./api.js";
import { at } from "./dom.js";

const DEMO_SECRET = "demo-webhook-secret";
const NOT_SENT = { array: [], object: {} };
const [client] = JSON.parse(at("clients").textContent);
const api = new Api(client, () => {});
const dark = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/** Return what this run has for the parameters that have to be given, and for a look-up. */
async function found() {
  const [users, cache] = await Promise.all([api.get("/users?limit=1"), api.get("/cache")]);
  const user = users.body?.data?.[0];
  const generation = cache.body?.data?.generation ?? 0;
  return {
    parameters: { clientId: client, ...(user && { userId: user.id }), since: generation > 1 ? generation - 1 : generation },
    ...(user && { lookup: { "by address": { emails: [user.email] }, "by id": { ids: [user.id] }, "by username": { usernames: [user.username] } } }),
  };
}

/** Change the document for this run: what each operation is tried with. */
function prepare(described, { parameters, lookup }) {
  // Whoever is on this machine may call a local run.
  delete described.security;
  delete described.components.securitySchemes;
  for (const item of Object.values(described.paths)) {
    const { parameters: shared = [], ...operations } = item;
    delete item.parameters;
    for (const operation of Object.values(operations)) {
      delete operation.security;
      // The viewer asks before it has found out what a reference refers to.
      operation.parameters = [...shared, ...operation.parameters ?? []].map((part) => ready(resolved(part, described), parameters));
      const examples = operation.requestBody?.content["application/json"].examples ?? {};
      for (const name of Object.keys(examples)) if (lookup?.[name]) examples[name].value = lookup[name];
    }
  }
  return described;
}

const resolved = (part, described) => part.$ref?.split("/").slice(1).reduce((found, step) => found[step], described) ?? part;

/** Return a parameter with examples of which the first is what is sent. */
function ready(part, given) {
  if (part.required) return part.name in given ? { ...part, examples: { "of this run": { value: given[part.name] } } } : part;
  return { ...part, examples: { "not sent": { value: NOT_SENT[part.schema.type] ?? "" }, ...part.examples } };
}

/** Sign a webhook as Cal.com would with the secret of the demo, whatever its body has become. */
async function signed(request) {
  if (!request.url.endsWith("/webhook")) return request;
  const bytes = (text) => new TextEncoder().encode(text);
  const key = await crypto.subtle.importKey("raw", bytes(DEMO_SECRET), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes(request.body)));
  request.headers["X-Cal-Signature-256"] = Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return request;
}

dark.addEventListener("change", follow);
follow();
const [described, here] = await Promise.all([ask("/v2/openapi.json"), found()]);
SwaggerUIBundle({
  spec: prepare(described.body, here), dom_id: "#document", deepLinking: true, validatorUrl: null, tryItOutEnabled: true,
  requestInterceptor: signed,
});
