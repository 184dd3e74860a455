"""Decides what the demo users look like: realistic, and the same on every run.

Each user is computed from a digest of the client id and the user's index alone, so any number can
be made in any order. Ids and creation dates rise with the index and leave gaps, as they do in a
table shared with others.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

type User = dict[str, Any]

_FIRST_DAY = datetime(2024, 4, 1, tzinfo=UTC)
_DOMAINS = ("example.com", "example.org", "example.net")
_PLANS = ("free", "pro", "enterprise")


@dataclass(frozen=True, slots=True)
class _Region:
    """Names written ``displayed:spelled``, or alone where lower-casing them spells them."""

    locale: str
    zones: str
    week_start: str
    given: str
    family: str


_REGIONS = (
    _Region(
        "en",
        "America/New_York America/Los_Angeles America/Chicago",
        "Sunday",
        "Ava Liam Olivia Noah Zoë:zoe Mia",
        "Smith Johnson O'Brien:obrien Washington Nguyen Carter",
    ),
    _Region(
        "en",
        "Europe/London Europe/Dublin Australia/Sydney",
        "Monday",
        "Amelia Oliver Niamh Arthur Siân:sian George",
        "Taylor Kelly Hughes Patel MacLeod Walker",
    ),
    _Region(
        "de",
        "Europe/Berlin Europe/Vienna Europe/Zurich",
        "Monday",
        "Jürgen:juergen Lena Björn:bjoern Anna Käthe:kaethe Felix",
        "Müller:mueller Schmidt Groß:gross Weber Schäfer:schaefer Fischer",
    ),
    _Region(
        "fr",
        "Europe/Paris Europe/Brussels America/Montreal",
        "Monday",
        "Chloé:chloe Léo:leo Inès:ines Hugo Françoise:francoise Jules",
        "Martin Lefèvre:lefevre Dubois Moreau Gauthier Besançon:besancon",
    ),
    _Region(
        "es",
        "Europe/Madrid America/Bogota America/Mexico_City",
        "Monday",
        "Lucía:lucia Mateo Sofía:sofia Iñaki:inaki Valentina Andrés:andres",
        "García:garcia Núñez:nunez Fernández:fernandez Ruiz Ibáñez:ibanez Torres",
    ),
    _Region(
        "pt-BR",
        "America/Sao_Paulo America/Manaus",
        "Sunday",
        "João:joao Beatriz Thaís:thais Caio Conceição:conceicao Rafael",
        "Silva Araújo:araujo Gonçalves:goncalves Souza Magalhães:magalhaes Costa",
    ),
    _Region(
        "pl",
        "Europe/Warsaw",
        "Monday",
        "Łukasz:lukasz Zofia Paweł:pawel Małgorzata:malgorzata Jan Świętosława:swietoslawa",
        "Wójcik:wojcik Kowalski Dąbrowski:dabrowski Źdźbło:zdzblo Nowak Król:krol",
    ),
    _Region(
        "tr",
        "Europe/Istanbul",
        "Monday",
        "Ayşe:ayse İbrahim:ibrahim Çağla:cagla Mehmet Gül:gul Ömer:omer",
        "Çelik:celik Şahin:sahin Öztürk:ozturk Demir Doğan:dogan Kaya",
    ),
    _Region(
        "ja",
        "Asia/Tokyo",
        "Sunday",
        "さくら:sakura 蓮:ren 陽菜:hina 大翔:hiroto 結衣:yui 健太:kenta",
        "渡辺:watanabe 佐藤:sato 鈴木:suzuki 高橋:takahashi 田中:tanaka 山本:yamamoto",
    ),
    _Region(
        "ar",
        "Africa/Cairo Asia/Riyadh",
        "Saturday",
        "ليلى:layla عمر:omar فاطمة:fatima يوسف:youssef مريم:mariam خالد:khaled",
        "حداد:haddad منصور:mansour النجار:alnajjar سعيد:saeed عباس:abbas صالح:saleh",
    ),
    _Region(
        "bn",
        "Asia/Dhaka Asia/Kolkata",
        "Sunday",
        "অনিক:anik নুসরাত:nusrat রহিম:rahim তানিয়া:tania আরিফ:arif মিতা:mita",
        "রহমান:rahman চৌধুরী:chowdhury ইসলাম:islam দাস:das হোসেন:hossain সরকার:sarkar",
    ),
)


class _Dice:
    """Deterministic choices drawn one after the other from one digest."""

    def __init__(self, seed: str) -> None:
        self._left = int.from_bytes(sha256(seed.encode()).digest())

    def roll(self, sides: int) -> int:
        self._left, face = divmod(self._left, sides)
        return face

    def pick(self, *choices: str) -> str:
        return choices[self.roll(len(choices))]


def demo_users(client_id: str, count: int) -> list[User]:
    """Return the first ``count`` users of a client, ids rising."""
    return [demo_user(client_id, index) for index in range(count)]


def demo_user(client_id: str, index: int) -> User:
    """Return the user at ``index``, with the keys in the order in which the origin writes them.

    >>> demo_user("client", 7) == demo_user("client", 7)
    True
    """
    dice = _Dice(f"{client_id}#{index}")
    region = _REGIONS[dice.roll(len(_REGIONS))]
    (given, spelled_given), (family, spelled_family) = (
        (shown, spelled or shown.lower())
        for names in (region.given, region.family)
        for shown, _, spelled in [dice.pick(*names.split()).partition(":")]
    )
    # Below 3, so ids stay rising while each step from one user to the next is 1 to 5.
    user_id = 1001 + 3 * index + dice.roll(3)
    zone = dice.pick(*region.zones.split())
    created = _FIRST_DAY + timedelta(minutes=90 * index, milliseconds=dice.roll(90 * 60 * 1000))
    local = f"{spelled_given}.{spelled_family}.{index}"
    user: User = {
        "id": user_id,
        "email": f"{local}+{client_id}@{dice.pick(*_DOMAINS)}",
        "username": local.replace(".", "-") if dice.roll(12) else None,
        "name": f"{given} {family}" if dice.roll(20) else None,
        "bio": None if dice.roll(5) else f"{given} books calls from {zone}.",
        "timeZone": zone,
        "weekStart": region.week_start if dice.roll(8) else "Sunday",
        "createdDate": iso_instant(created),
        "timeFormat": (12, 24, 24, None)[dice.roll(4)],
        "defaultScheduleId": 5000 + user_id if dice.roll(3) else None,
        "locale": region.locale if dice.roll(6) else None,
        "avatarUrl": None if dice.roll(4) else f"https://avatars.example.com/{user_id}.png",
    }
    metadata = _metadata(dice, user_id)
    return user if metadata is None else user | {"metadata": metadata}


def iso_date_of(index: int) -> str:
    """Return a creation date that rises with ``index``."""
    return iso_instant(_FIRST_DAY + timedelta(minutes=index))


def plain_users(client_id: str, count: int) -> list[User]:
    """Return the plainest users that still differ: ids from 1 on without gaps, ``u4``, ``N4``.

    Alice, bob and carol come first; between them they have each value that may be null or absent.
    """
    local_parts = ["Alice", "bob", "carol", *(f"user{number}" for number in range(4, count + 1))]
    return [_plain_user(client_id, *named) for named in enumerate(local_parts[:count], start=1)]


def _plain_user(client_id: str, number: int, local: str) -> User:
    bare = local == "bob"
    user: User = {
        "id": number,
        "email": f"{local}+{client_id}@example.com",
        "username": None if bare else f"u{number}",
        "name": f"N{number}",
        "bio": None,
        "timeZone": "Europe/London",
        "weekStart": "Sunday",
        "createdDate": iso_instant(_FIRST_DAY),
        "timeFormat": None if bare else 12,
        "defaultScheduleId": None,
        "locale": "en" if number == 1 else None,
        "avatarUrl": None,
    }
    metadata = {"key": "value"} if number == 1 else {"defaultConferencingApp": {"appSlug": "zoom"}}
    return user if bare else user | {"metadata": metadata}


def _metadata(dice: _Dice, user_id: int) -> dict[str, Any] | None:
    """Return what callers and the origin itself keep there; None where nothing was ever set."""
    own = {"externalId": f"ext-{user_id}", "plan": dice.pick(*_PLANS), "beta": dice.roll(2) == 0}
    app = {"defaultConferencingApp": {"appSlug": dice.pick("zoom", "google-meet", "daily-video")}}
    customer = {"stripeCustomerId": f"cus_demo{user_id}"}
    return (None, None, own, own, own | app, app, app | customer, own | app | customer)[
        dice.roll(8)
    ]


def iso_instant(instant: datetime) -> str:
    """Return ``instant`` (UTC) as JavaScript's ``toISOString`` writes it: milliseconds and Z."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
