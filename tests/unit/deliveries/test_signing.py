"""Signatures: receivers verify them with the library that Standard Webhooks publishes."""

import pickle
import time
from base64 import b64encode
from traceback import TracebackException

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from lib.deliveries.signing import SigningKey, keys_of, signed_headers
from lib.errors import SecretError

CANARY = b"canary-signing-secret-9d1f"
SECRET = f"whsec_{b64encode(CANARY).decode()}"
NEWER = f"whsec_{b64encode(b'n' * 32).decode()}"
ID = "ee566453e20b77279d1eeeaaf87a9c86"
BODY = '{"id":"ee566453e20b77279d1eeeaaf87a9c86","data":{"name":"Zoë"}}'.encode()


def headers(text: str, *, now: float | None = None) -> dict[str, str]:
    """Return the header fields of an attempt that is made now, unless told otherwise."""
    at = time.time() if now is None else now
    return dict(signed_headers(keys_of(text), event_id=ID, body=BODY, now=at))


def test_the_published_library_verifies_a_delivery() -> None:
    assert Webhook(SECRET).verify(BODY, headers(SECRET))["id"] == ID


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    # As the published libraries have it in their tests.
    key = SigningKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signature = key.sign(b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_attempt_says_when_it_is_made_in_whole_seconds() -> None:
    told = headers(SECRET, now=1_800_000_000.9)

    assert (told["webhook-id"], told["webhook-timestamp"]) == (ID, "1800000000")


def test_two_secrets_make_two_signatures_of_which_each_receiver_knows_one() -> None:
    told = headers(f"{NEWER}\n{SECRET}")

    assert len(told["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, NEWER):
        assert Webhook(secret).verify(BODY, told)["id"] == ID


def test_another_secret_or_another_body_or_id_or_time_is_not_verified() -> None:
    told = headers(SECRET)
    forged = {
        "secret": (NEWER, BODY, told),
        "body": (SECRET, BODY + b" ", told),
        "id": (SECRET, BODY, told | {"webhook-id": "another"}),
        "time": (SECRET, BODY, told | {"webhook-timestamp": str(int(time.time()) - 10)}),
    }

    for secret, body, sent in forged.values():
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            Webhook(secret).verify(body, sent)


def test_the_prefix_may_be_left_out_as_it_is_by_who_generates_a_secret() -> None:
    told = headers(SECRET.removeprefix("whsec_"))

    assert Webhook(SECRET).verify(BODY, told)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "whsec_",
        "whsec_not base64",
        "whsec_????",
        "whsec_ümlaut",
        f"whsec_{b64encode(b'n' * 23).decode()}",
        f"whsec_{b64encode(b'n' * 65).decode()}",
        f"{SECRET} and",
        " ".join([SECRET] * 5),
        f"whpk_{b64encode(b'n' * 32).decode()}",
    ],
)
def test_what_is_no_secret_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(SecretError) as caught:
        keys_of(text)

    assert caught.value.reason == "secret-malformed"
    told = "".join(TracebackException.from_exception(caught.value, capture_locals=False).format())
    assert SECRET not in told
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_of_the_least_or_the_most_bytes_is_one(size: int) -> None:
    assert len(keys_of(b64encode(b"n" * size).decode())) == 1


def test_a_key_cannot_print_the_secret_or_be_stored() -> None:
    (key,) = keys_of(SECRET)

    assert CANARY.decode() not in repr(key)
    assert SECRET not in repr(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)
