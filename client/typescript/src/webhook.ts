/**
 * Verifies deliveries by the Standard Webhooks specification 1.0: HMAC-SHA256, version `v1`.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

import { WebhookVerificationError } from "./errors.js";
import type { ChangeEvent } from "./models.js";

const TOLERANCE_SECONDS = 300;
const LEAST_SECRET_BYTES = 24;

/** The header fields of a delivery: a `Headers`, or Node's, in any case. */
export type DeliveryHeaders =
  | Headers
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Return the event that was delivered, if one of `secrets` signed it in the last five minutes.
 *
 * Deliveries may come twice: `id` is then the same.
 *
 * @param body The body as it came, to the byte.
 * @param secrets `whsec_` and base64; several while they are being rotated.
 * @throws WebhookVerificationError
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: DeliveryHeaders,
  secrets: string | readonly string[],
): Promise<ChangeEvent> {
  const keys = await Promise.all([secrets].flat().map(keyOf));
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  const fields = new Map(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
  const id = fields.get("webhook-id");
  const timestamp = fields.get("webhook-timestamp");
  const signatures = fields.get("webhook-signature")?.split(" ") ?? [];

  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS)) {
    throw new WebhookVerificationError("it was not signed in the last five minutes");
  }
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  const content = new TextEncoder().encode(`${id}.${timestamp}.${text}`);
  for (const signature of signatures.filter((each) => each.startsWith("v1,"))) {
    for (const key of keys) {
      // Takes the same time wherever the first wrong byte is.
      if (await crypto.subtle.verify("HMAC", key, decoded(signature.slice(3)), content)) {
        return JSON.parse(text) as ChangeEvent;
      }
    }
  }
  throw new WebhookVerificationError("no signature is of one of the secrets");
}

function keyOf(secret: string): Promise<CryptoKey> {
  const key = decoded(secret.replace(/^whsec_/, ""));
  if (key.length < LEAST_SECRET_BYTES) {
    throw new TypeError("a secret must be whsec_ and base64 of 24 bytes or more");
  }
  return crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

/** Return the bytes of `base64`, none if it is not base64. */
function decoded(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
