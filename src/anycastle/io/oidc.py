"""OpenID Connect's authorisation code flow with PKCE: where to send a browser, and who it was that came back.

Theory of operation. The provider is found by its issuer (OpenID Connect Discovery 1.0), and what it says of itself is
kept for an hour. A login has a *state*, which ties the browser that comes back to the one that was sent, a *nonce*,
which ties the ID token to the login, and a *verifier*, without which the code is worth nothing (RFC 7636). The ID token
is checked by joserfc: signature by one of the provider's keys and an algorithm of our list, issuer, audience, expiry,
nonce. A key that is not known is looked for anew, at most twice a minute: so providers change keys without a drop.
"""

import asyncio
import base64
import json
import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx2
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from anycastle.base.errors import AnycastleError, MisuseError, WorldError

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
"""What an ID token may be signed by. None that has a shared secret, and never `none`."""

TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 1024 * 1024
METADATA_S: Final = 3600.0
KEYS_AGAIN_S: Final = 30.0
"""How soon keys are fetched again for one that is not known."""

LEEWAY_S: Final = 60
"""How far the provider's clock may be from ours."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class NotProven(AnycastleError):
    """What came back does not prove who it was. The text holds no code and no token."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Which provider, and what we are to it."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    algorithms: tuple[str, ...] = ALGORITHMS
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send a browser, and what to remember of it."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class OIDCProvider:
    """One provider. Raises `WorldError` when it cannot be reached or speaks nonsense, `NotProven` for a bad answer."""

    def __init__(self, settings: ProviderSettings) -> None:
        _require_https(settings.issuer)
        self.settings = settings
        context = ssl.create_default_context(cafile=settings.ca_file)
        self._client = httpx2.AsyncClient(verify=context, timeout=TIMEOUT_S, trust_env=False)
        self._lock = asyncio.Lock()
        self._metadata: dict[str, Any] = {}
        self._metadata_until = 0.0
        self._keys: KeySet | None = None
        self._keys_again_at = 0.0

    async def close(self) -> None:
        """Let go of its connections."""
        await self._client.aclose()

    async def depart(self, redirect_uri: str) -> Departure:
        """Begin a login that comes back there."""
        metadata = await self._described()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        url = metadata["authorization_endpoint"]
        return Departure(f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}", state, nonce, verifier)

    async def arrive(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """End a login: give the claims of who it was."""
        metadata = await self._described()
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self.settings.client_id,
        }
        if self.settings.client_secret is not None:
            asked["client_secret"] = self.settings.client_secret
        answer = await self._fetch("POST", metadata["token_endpoint"], asked)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotProven(f"the provider gave no ID token: {str(answer.get('error', 'no reason'))[:100]}")
        return await self._proven(token, nonce)

    async def _proven(self, token: str, nonce: str) -> Mapping[str, Any]:
        try:
            header = jws.extract_compact(token.encode()).headers()
            if header.get("alg") not in self.settings.algorithms:
                raise NotProven(f"the ID token is signed by {str(header.get('alg'))[:20]!r}, which is not accepted")
            keys = await self._keys_with(header.get("kid"))
            decoded = jwt.decode(token, keys, algorithms=list(self.settings.algorithms))
            self._require_claims(decoded.claims, nonce)
        except (JoseError, ValueError, UnicodeError) as error:
            raise NotProven(f"the ID token does not hold: {type(error).__name__}") from error
        return decoded.claims

    def _require_claims(self, claims: Mapping[str, Any], nonce: str) -> None:
        ours = self.settings.client_id
        registry = jwt.JWTClaimsRegistry(
            now=int(time.time()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": ours},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(dict(claims))
        audience = claims["aud"]
        many = isinstance(audience, list) and len(audience) > 1
        if (many or "azp" in claims) and claims.get("azp") != ours:  # OpenID Connect Core 1.0 §3.1.3.7, 4 and 5
            raise NotProven("the ID token was made for another party")

    async def _described(self) -> dict[str, Any]:
        """Give what the provider says of itself."""
        async with self._lock:
            if time.monotonic() >= self._metadata_until:
                url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                metadata = await self._fetch("GET", url)
                if metadata.get("issuer") != self.settings.issuer:
                    raise WorldError(f"{url} speaks for another issuer than {self.settings.issuer}", retryable=False)
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    _require_https(str(metadata.get(name)))
                self._metadata, self._metadata_until = metadata, time.monotonic() + METADATA_S
            return self._metadata

    async def _keys_with(self, name: str | None) -> KeySet:
        """Give the provider's keys; fetched anew where none has this name."""
        metadata = await self._described()
        async with self._lock:
            known = self._keys is not None and (name is None or any(key.kid == name for key in self._keys.keys))
            if not known and time.monotonic() >= self._keys_again_at:
                self._keys_again_at = time.monotonic() + KEYS_AGAIN_S
                self._keys = KeySet.import_key_set(_signing(await self._fetch("GET", metadata["jwks_uri"])))
            if self._keys is None:
                raise WorldError(f"the keys of {self.settings.issuer} cannot be read")
            return self._keys

    async def _fetch(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Ask for a JSON object, within bounds."""
        try:
            async with asyncio.timeout(TIMEOUT_S), self._client.stream(method, url, data=form) as answer:
                octets = b""
                async for part in answer.aiter_bytes():
                    octets += part
                    if len(octets) > ANSWER_BYTES_MAX:
                        raise WorldError(f"{url} answers more than {ANSWER_BYTES_MAX} octets")
            said = json.loads(octets)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise WorldError(f"{url} cannot be asked: {type(error).__name__}") from error
        except ValueError as error:
            raise WorldError(f"{url} does not answer in JSON (status {answer.status_code})") from error
        refused = isinstance(said, dict) and "error" in said
        if not isinstance(said, dict) or (answer.status_code != 200 and not refused):
            raise WorldError(f"{url} answers with status {answer.status_code}")
        return said


def _signing(keys: dict[str, Any]) -> Any:
    """Give the keys that can sign: others may be of kinds that are not known."""
    listed = keys.get("keys")
    found = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    return {"keys": [key for key in found if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"]}


def _require_https(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise MisuseError(f"an OpenID provider is spoken to by https, not at {url[:200]!r}")


def comes_back_here(uri: str) -> bool:
    """Tell whether a login comes back to the machine that it began on: no code is sent elsewhere (RFC 8252 §7.3)."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1") and port is not None
    return local and parts.username is None and parts.fragment == "" and uri.isascii() and uri.isprintable()
