"""The double's users: deterministic, realistic, and changed only through its methods."""

from itertools import pairwise

import pytest

from dev.origin import OriginDouble, demo_user, demo_users

USERS = demo_users("client", 500)
KEYS = (
    *("id", "email", "username", "name", "bio", "timeZone", "weekStart", "createdDate"),
    *("timeFormat", "defaultScheduleId", "locale", "avatarUrl", "metadata"),
)


@pytest.fixture
def origin() -> OriginDouble:
    return OriginDouble({"client": "secret"}, users=4, clock=lambda: 1.7e9)


def test_users_depend_on_client_and_index_alone() -> None:
    assert demo_users("client", 3) == USERS[:3] == [demo_user("client", n) for n in range(3)]
    assert demo_users("other", 3) != USERS[:3]


def test_ids_and_creation_dates_rise_and_ids_leave_gaps() -> None:
    steps = {later["id"] - earlier["id"] for earlier, later in pairwise(USERS)}

    assert steps == {1, 2, 3, 4, 5}
    assert all(a["createdDate"] < b["createdDate"] for a, b in pairwise(USERS))
    assert all(len(user["createdDate"]) == len("2024-04-01T00:00:00.000Z") for user in USERS)


def test_every_kind_of_value_the_origin_sends_occurs() -> None:
    def values(key: str) -> set[object]:
        return {user[key] for user in USERS}

    metadata = [user["metadata"] for user in USERS if "metadata" in user]
    assert values("timeFormat") == {12, 24, None}
    assert values("weekStart") == {"Saturday", "Sunday", "Monday"}
    for key in ("username", "name", "bio", "defaultScheduleId", "locale", "avatarUrl"):
        assert None in values(key)
        assert len(values(key)) > 5
    assert len(values("timeZone")) > 20
    assert len(values("name")) > 200
    assert any(not str(name).isascii() for name in values("name"))
    assert 0 < len(metadata) < len(USERS)
    assert any("stripeCustomerId" in found for found in metadata)
    assert any("appSlug" in found.get("defaultConferencingApp", {}) for found in metadata)


def test_keys_are_in_the_origins_order_and_addresses_carry_the_client() -> None:
    assert {tuple(user) for user in USERS} == {KEYS, KEYS[:-1]}
    assert all("+client@example." in user["email"] for user in USERS)
    assert all(user["email"].isascii() for user in USERS)
    assert len({user["email"] for user in USERS}) == len(USERS)


def test_a_created_user_is_last_and_its_address_gets_the_suffix(origin: OriginDouble) -> None:
    created = origin.create("client", email="ada@example.com", name="Ada")

    assert origin.users("client")[-1] == created
    assert (created["email"], created["name"]) == ("ada+client@example.com", "Ada")
    assert created["createdDate"] == "2023-11-14T22:13:20.000Z"


def test_an_id_that_was_deleted_is_never_given_again(origin: OriginDouble) -> None:
    first = origin.create("client")
    origin.delete("client", first["id"])

    second = origin.create("client")

    assert second["id"] > first["id"]


def test_a_user_created_with_an_id_takes_its_place_in_the_order(origin: OriginDouble) -> None:
    origin.create("client", id=1)

    assert origin.users("client")[0]["id"] == 1


def test_an_update_changes_the_fields_it_names(origin: OriginDouble) -> None:
    before = origin.users("client")[1]

    changed = origin.update("client", before["id"], email="new@example.com", bio="hello")

    assert changed == before | {"email": "new+client@example.com", "bio": "hello"}
    assert origin.users("client")[1] == changed


def test_replaced_rows_are_kept_as_they_are_in_the_order_of_their_ids(
    origin: OriginDouble,
) -> None:
    origin.replace("client", [{"id": 7, "email": "plain"}, {"id": 2}])

    assert origin.users("client") == [{"id": 2}, {"id": 7, "email": "plain"}]


def test_rows_handed_out_are_copies(origin: OriginDouble) -> None:
    origin.users("client")[0]["name"] = "changed"
    origin.create("client", metadata={"a": 1})["metadata"]["a"] = 2

    assert origin.users("client")[0] == demo_user("client", 0)
    assert origin.users("client")[-1]["metadata"] == {"a": 1}


def test_what_does_not_exist_is_a_key_error(origin: OriginDouble) -> None:
    for act in (
        lambda: origin.users("nobody"),
        lambda: origin.replace("nobody", []),
        lambda: origin.rotate_secret("nobody", "new"),
        lambda: origin.update("client", 1),
        lambda: origin.delete("client", 1),
    ):
        with pytest.raises(KeyError):
            act()
