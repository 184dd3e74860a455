/** What is taken for a delivery: the same as by the library of those who wrote the specification. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyWebhook, WebhookVerificationError } from "managed-users-client";
import { Webhook } from "standardwebhooks";

const SECRET = `whsec_${Buffer.from("canary-secret-of-32-bytes-here!!").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("another-secret-of-32-bytes-here!").toString("base64")}`;
const EVENT = { specversion: "1.0", id: "e1", data: { name: "Ayşe 🌍" } };
const BODY = JSON.stringify(EVENT);

function signed(secret = SECRET, { body = BODY, at = new Date() } = {}): Record<string, string> {
  return {
    "webhook-id": "e1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("e1", at, body),
  };
}

const ago = (seconds: number): Date => new Date(Date.now() - 1000 * seconds);
const signature = (secret: string): string => signed(secret)["webhook-signature"] ?? "";

const DELIVERIES: [string, Record<string, string>, string?][] = [
  ["a good one", signed()],
  ["one of four minutes ago", signed(SECRET, { at: ago(240) })],
  ["one of a clock that is fast", signed(SECRET, { at: ago(-240) })],
  ["one of six minutes ago", signed(SECRET, { at: ago(360) })],
  ["one of the future", signed(SECRET, { at: ago(-360) })],
  ["one of another secret", signed(OTHER)],
  ["another body", signed(), `${BODY} `],
  ["another id", { ...signed(), "webhook-id": "e2" }],
  ["another time", { ...signed(), "webhook-timestamp": String(Math.floor(Date.now() / 1000) - 9) }],
  ["a time that is none", { ...signed(), "webhook-timestamp": "now" }],
  [
    "two signatures, one of them good",
    { ...signed(), "webhook-signature": `${signature(OTHER)} ${signature(SECRET)}` },
  ],
  [
    "an unknown version",
    { ...signed(), "webhook-signature": signature(SECRET).replace("v1,", "v2,") },
  ],
  ["a signature that is no base64", { ...signed(), "webhook-signature": "v1,%%%" }],
  ["an empty signature", { ...signed(), "webhook-signature": "v1," }],
  ["half a signature", { ...signed(), "webhook-signature": signature(SECRET).slice(0, 20) }],
  ["no signature", { "webhook-id": "e1", "webhook-timestamp": "1" }],
  ["nothing", {}],
];

for (const [what, headers, body = BODY] of DELIVERIES) {
  test(`${what} is judged as by standardwebhooks`, async () => {
    let expected: unknown;
    try {
      expected = new Webhook(SECRET).verify(body, headers);
    } catch {
      expected = null;
    }

    if (expected === null) {
      await assert.rejects(verifyWebhook(body, headers, SECRET), WebhookVerificationError);
    } else {
      assert.deepEqual(await verifyWebhook(body, headers, SECRET), expected);
    }
  });
}

test("some of these are good and some are not", async () => {
  const judged = await Promise.allSettled(
    DELIVERIES.map(([, headers, body = BODY]) => verifyWebhook(body, headers, SECRET)),
  );

  assert.equal(judged.filter(({ status }) => status === "fulfilled").length, 4);
});

test("while secrets are being rotated, either will do", async () => {
  for (const secret of [SECRET, OTHER]) {
    assert.deepEqual(await verifyWebhook(BODY, signed(secret), [OTHER, SECRET]), EVENT);
  }
});

test("a body may be bytes, and header fields Node's, API Gateway's or a Headers", async () => {
  const fields = signed();
  const capitals = Object.entries(fields).map(([name, value]) => [name.toUpperCase(), value]);

  for (const headers of [
    { ...fields, ":path": "/hook", "set-cookie": ["a", "b"], missing: undefined },
    Object.fromEntries(capitals),
    new Headers(fields),
    new Map(Object.entries(fields)),
  ]) {
    assert.deepEqual(await verifyWebhook(Buffer.from(BODY), headers, SECRET), EVENT);
  }
});

for (const secret of ["", "whsec_", "whsec_%%%", "whsec_c2hvcnQ="]) {
  test(`${secret || "an empty text"} is refused as a secret, and not quoted`, async () => {
    await assert.rejects(verifyWebhook(BODY, signed(), secret), {
      name: "TypeError",
      message: "a secret must be whsec_ and base64 of 24 bytes or more",
    });
  });
}

test("without a secret nothing is good", async () => {
  await assert.rejects(verifyWebhook(BODY, signed(), []), WebhookVerificationError);
});
