import asyncio
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.oidc import ANSWER_BYTES_MAX, NotProven, OIDCProvider, ProviderSettings, comes_back_here
from anycastle.io.oidc_roles import RoleRule, grant_of, name_of
from anycastle.model.person import Grant, Role
from tests.oidc_provider import CLIENT, SECRET, Claims, Provider, provider

T = TypeVar("T")
BACK = "http://127.0.0.1:5/"


@pytest.fixture
def known() -> Iterator[Provider]:
    with provider() as made:
        yield made


def run(known: Provider, talk: Callable[[OIDCProvider], Awaitable[T]], **settings: Any) -> T:
    async def main() -> T:
        client = OIDCProvider(ProviderSettings(known.issuer, CLIENT, SECRET, **settings))
        try:
            return await talk(client)
        finally:
            await client.close()

    return asyncio.run(main())


def browse(url: str) -> dict[str, str]:
    """Go where a browser is sent; give what it brings back."""
    back = httpx2.get(url, follow_redirects=False, trust_env=False).headers["location"]
    assert back.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


async def log_in(client: OIDCProvider) -> Any:
    departure = await client.depart(BACK)
    came = await asyncio.to_thread(browse, departure.url)
    assert came["state"] == departure.state
    return await client.arrive(came["code"], BACK, departure.nonce, departure.verifier)


def test_whoever_comes_back_is_known(known: Provider) -> None:
    claims = run(known, log_in)
    assert (claims["sub"], claims["groups"]) == ("ann", ["noc"])


def test_each_login_has_secrets_of_its_own(known: Provider) -> None:
    async def twice(client: OIDCProvider) -> None:
        first, second = await client.depart(BACK), await client.depart(BACK)
        for name in ("state", "nonce", "verifier"):
            assert getattr(first, name) != getattr(second, name)
            assert getattr(first, name) not in repr(first)
        assert first.verifier not in first.url

    run(known, twice)
    assert known.asked == ["/.well-known/openid-configuration"], "what it says of itself is kept"


def replaced(**others: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {name: value for name, value in {**claims, **others}.items() if value is not None}


@pytest.mark.parametrize(
    "mend",
    [
        replaced(iss="http://127.0.0.1:1"),
        replaced(iss=None),
        replaced(aud="another"),
        replaced(aud=["another"]),
        replaced(aud=[CLIENT, "another"]),
        replaced(aud=[CLIENT, "another"], azp="another"),
        replaced(azp="another"),
        replaced(aud=None),
        replaced(exp=1),
        replaced(exp=None),
        replaced(exp="soon"),
        replaced(iat=None),
        replaced(iat=4_000_000_000),
        replaced(nbf=4_000_000_000),
        replaced(nonce="another"),
        replaced(nonce=None),
        replaced(sub=None),
    ],
)
def test_claims_that_do_not_hold_are_refused(known: Provider, mend: Callable[[Claims], Claims]) -> None:
    known.mend = mend
    with pytest.raises(NotProven):
        run(known, log_in)


def test_an_id_token_for_several_names_us_as_its_party(known: Provider) -> None:
    known.mend = replaced(aud=["another", CLIENT], azp=CLIENT)
    assert run(known, log_in)["sub"] == "ann"


def by_another_key(known: Provider) -> Callable[[Claims], str]:
    forged = RSAKey.generate_key(2048)
    return lambda claims: jwt.encode({"alg": "RS256", "kid": known.key.kid}, claims, forged)


def unsigned(known: Provider) -> Callable[[Claims], str]:
    def sign(claims: Claims) -> str:
        _head, body, _ = known.signed(claims).split(".")
        return f"eyJhbGciOiJub25lIn0.{body}."

    return sign


def by_the_public_key(known: Provider) -> Callable[[Claims], str]:
    """The classic: what everybody knows is used as a shared secret."""

    def sign(claims: Claims) -> str:
        head = urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": known.key.kid}).encode()).rstrip(b"=")
        signed = b".".join((head, known.signed(claims).split(".")[1].encode()))
        mac = hmac.digest(known.key.as_pem(private=False), signed, "sha256")
        return b".".join((signed, urlsafe_b64encode(mac).rstrip(b"="))).decode()

    return sign


def altered(known: Provider) -> Callable[[Claims], str]:
    def sign(claims: Claims) -> str:
        head, _, signature = known.signed(claims).split(".")
        body = known.signed({**claims, "sub": "root"}).split(".")[1]
        return f"{head}.{body}.{signature}"

    return sign


def nonsense(_: Provider) -> Callable[[Claims], str]:
    return lambda _claims: "a.b.c"


@pytest.mark.parametrize("forge", [by_another_key, unsigned, by_the_public_key, altered, nonsense])
def test_a_signature_that_does_not_hold_is_refused(
    known: Provider, forge: Callable[[Provider], Callable[[Claims], str]]
) -> None:
    tokens: list[str] = []
    sign = forge(known)

    def keep(claims: Claims) -> str:
        tokens.append(sign(claims))
        return tokens[-1]

    known.sign = keep
    with pytest.raises(NotProven) as caught:
        run(known, log_in)
    assert tokens[0] not in str(caught.value)


def test_an_algorithm_counts_only_where_it_is_accepted(known: Provider) -> None:
    key = ECKey.generate_key("P-256", parameters={"kid": "ec"})
    known.keys.append(key)
    known.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "ec"}, claims, key)
    assert run(known, log_in)["sub"] == "ann"
    with pytest.raises(NotProven, match="'ES256', which is not accepted"):
        run(known, log_in, algorithms=("RS256",))


def test_a_provider_changes_its_keys_without_a_drop(known: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anycastle.io.oidc.KEYS_AGAIN_S", 0.0)

    async def twice(client: OIDCProvider) -> None:
        await log_in(client)
        await log_in(client)
        known.rotate()
        await log_in(client)

    run(known, twice)
    assert known.asked.count("/keys") == 2


def test_keys_are_not_fetched_for_every_unknown_name(known: Provider) -> None:
    async def often(client: OIDCProvider) -> None:
        await log_in(client)
        known.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "no such"}, claims, known.key)
        for _ in range(5):
            with pytest.raises(NotProven):
                await log_in(client)

    run(known, often)
    assert known.asked.count("/keys") == 1


@pytest.mark.parametrize("wrong", ["code", "redirect", "nonce", "verifier", "again"])
def test_what_belongs_to_another_login_is_refused(known: Provider, wrong: str) -> None:
    async def mixed(client: OIDCProvider) -> None:
        departure, other = await client.depart(BACK), await client.depart(BACK)
        came = await asyncio.to_thread(browse, departure.url)
        code = "no-such" if wrong == "code" else came["code"]
        nonce = other.nonce if wrong == "nonce" else departure.nonce
        verifier = other.verifier if wrong == "verifier" else departure.verifier
        back = f"{BACK}x" if wrong == "redirect" else BACK
        if wrong == "again":
            await client.arrive(code, back, nonce, verifier)
        with pytest.raises(NotProven):
            await client.arrive(code, back, nonce, verifier)

    run(known, mixed)


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (200, b"not json"),
        (200, b"[]"),
        (200, json.dumps({"id_token": "x" * ANSWER_BYTES_MAX}).encode()),
    ],
)
def test_a_provider_that_speaks_nonsense_is_the_worlds_fault(known: Provider, answer: tuple[int, bytes]) -> None:
    known.answer_token = lambda _claims: answer
    with pytest.raises(WorldError):
        run(known, log_in)


def test_a_provider_that_gives_no_id_token_proves_nothing(known: Provider) -> None:
    known.answer_token = lambda _claims: (200, b'{"access_token": "x"}')
    with pytest.raises(NotProven, match="gave no ID token"):
        run(known, log_in)


@pytest.mark.parametrize(
    "metadata", [{"issuer": "http://127.0.0.1:1"}, {"token_endpoint": "http://example.net/t"}, {"jwks_uri": None}]
)
def test_a_description_that_cannot_be_is_refused(known: Provider, metadata: Claims) -> None:
    known.metadata = metadata
    with pytest.raises((WorldError, MisuseError)):
        run(known, log_in)


def test_a_provider_that_is_away_is_the_worlds_fault(known: Provider) -> None:
    known.issuer = "http://127.0.0.1:1"
    with pytest.raises(WorldError, match="cannot be asked"):
        run(known, log_in)


@pytest.mark.parametrize("issuer", ["http://example.net", "ftp://x", "", "http://[", "http://127.0.0.1.example.net"])
def test_a_provider_is_spoken_to_by_https(issuer: str) -> None:
    with pytest.raises(MisuseError, match="by https"):
        OIDCProvider(ProviderSettings(issuer, CLIENT))


@pytest.mark.parametrize(
    ("uri", "here"),
    [
        ("http://127.0.0.1:5000/", True),
        ("http://[::1]:5000/x?y=z", True),
        ("http://127.0.0.1/", False),
        ("https://127.0.0.1:1/", False),
        ("http://localhost:5000/", False),
        ("http://127.0.0.1.example.net:1/", False),
        ("http://127.0.0.1@example.net:1/", False),
        ("http://example.net@127.0.0.1:1/", False),
        ("http://127.0.0.1:1/#x", False),
        ("http://127.0.0.1:99999/", False),
        ("http://[", False),
        ("javascript:x", False),
        ("", False),
    ],
)
def test_a_login_comes_back_to_its_own_machine_only(uri: str, here: bool) -> None:
    assert comes_back_here(uri) == here


RULES = (
    RoleRule("groups", "admins", Grant(Role.ADMIN)),
    RoleRule("groups", "dns", Grant(Role.OPERATOR, frozenset({"dns"}))),
    RoleRule("email", "eve@example.net", Grant(Role.APPROVER)),
    RoleRule("hd", "example.net", Grant(Role.VIEWER)),
)


@pytest.mark.parametrize(
    ("claims", "grant"),
    [
        ({"groups": ["x", "dns", "admins"]}, Grant(Role.ADMIN)),
        ({"groups": "dns"}, Grant(Role.OPERATOR, frozenset({"dns"}))),
        ({"groups": ["dns2"], "hd": "example.net"}, Grant(Role.VIEWER)),
        ({"email": "eve@example.net", "email_verified": True}, Grant(Role.APPROVER)),
        ({"email": "eve@example.net"}, None),
        ({"email": "eve@example.net", "email_verified": "true"}, None),
        ({"groups": {"admins": True}}, None),
        ({"groups": None}, None),
        ({}, None),
    ],
)
def test_the_first_rule_that_fits_counts(claims: Claims, grant: Grant | None) -> None:
    assert grant_of(claims, RULES) == grant


@pytest.mark.parametrize(
    ("claims", "claim", "name"),
    [
        ({"sub": "ann"}, "sub", "ann"),
        ({"sub": ""}, "sub", None),
        ({"sub": 5}, "sub", None),
        ({"sub": "a\nb"}, "sub", None),
        ({"sub": " ann"}, "sub", None),
        ({"sub": "x" * 201}, "sub", None),
        ({"sub": "token:ci"}, "sub", None),
        ({"email": "a@b", "email_verified": True}, "email", "a@b"),
        ({"email": "a@b"}, "email", None),
        ({}, "sub", None),
    ],
)
def test_a_name_is_one_that_the_log_can_trust(claims: Claims, claim: str, name: str | None) -> None:
    assert name_of(claims, claim) == name
