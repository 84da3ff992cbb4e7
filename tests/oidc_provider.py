"""An OpenID provider of the tests' own: a real HTTP server that logs everybody in, and can be told to misbehave."""

import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "anycastle", "the-client-secret"
Claims = dict[str, Any]


class Provider:
    """What the server knows. A test changes it between requests."""

    def __init__(self) -> None:
        self.issuer = ""
        self.claims: Claims = {"sub": "ann", "groups": ["noc"], "email": "ann@example.net", "email_verified": True}
        self.mend: Callable[[Claims], Claims] = lambda claims: claims
        """What becomes of an ID token's claims before it is signed."""
        self.sign: Callable[[Claims], str] = self.signed
        self.metadata: Claims = {}
        """Members of the description that are others than they should be."""
        self.answer_token: Callable[[Claims], tuple[int, bytes]] | None = None
        self.asked: list[str] = []
        self.keys: list[RSAKey | ECKey] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.rotate()

    def rotate(self) -> None:
        """Sign by a new key, and publish that one alone."""
        self.key = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(4), "use": "sig"})
        self.keys = [self.key]

    def signed(self, claims: Claims) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def described(self) -> Claims:
        at = self.issuer
        return {
            "issuer": at, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys", **self.metadata,
        }  # fmt: skip

    def authorize(self, asked: dict[str, str]) -> str:
        """Log somebody in; give where the browser goes."""
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, bytes]:
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        proven = asked is not None and (challenge, form.get("redirect_uri"), form.get("client_secret")) == (
            asked["code_challenge"], asked["redirect_uri"], SECRET,
        )  # fmt: skip
        if asked is None or not proven:
            return 400, json.dumps({"error": "invalid_grant"}).encode()
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims = self.mend({**claims, **self.claims})
        if self.answer_token is not None:
            return self.answer_token(claims)
        return 200, json.dumps({"token_type": "Bearer", "access_token": "x", "id_token": self.sign(claims)}).encode()


@contextmanager
def provider() -> Iterator[Provider]:
    """Run one on loopback."""
    known = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            known.asked.append(parts.path)
            if parts.path == "/.well-known/openid-configuration":
                self.reply(200, json.dumps(known.described()).encode())
            elif parts.path == "/keys":
                keys = [key.as_dict(private=False) for key in known.keys]
                odd = [{"kty": "oct", "k": "AAAA"}, {"kty": "new"}, "x"]  # of kinds that we do not take
                self.reply(200, json.dumps({"keys": [*odd, *keys]}).encode())
            elif parts.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.reply(302, b"", known.authorize(asked))
            else:
                self.reply(404, b"{}")

        def do_POST(self) -> None:
            known.asked.append(self.path)
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.reply(*known.token({name: values[0] for name, values in form.items()}))

        def reply(self, status: int, body: bytes, location: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            if location is not None:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
