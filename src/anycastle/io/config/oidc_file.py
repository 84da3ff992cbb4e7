"""The provider's file -> its settings, or everything that is wrong with it."""

from dataclasses import dataclass
from pathlib import Path

from anycastle.base.errors import MisuseError
from anycastle.io.config.document import read_document
from anycastle.io.config.findings import Findings
from anycastle.io.config.limits import FILE_BYTES_MAX
from anycastle.io.config.shape import read_shape
from anycastle.io.config.shapes.oidc import OIDCShape
from anycastle.io.oidc import ProviderSettings
from anycastle.io.oidc_roles import RoleRule
from anycastle.io.whole_file import read_whole
from anycastle.model.person import Grant


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """Who provides identities, and what they may."""

    provider: ProviderSettings
    rules: tuple[RoleRule, ...]
    name_claim: str
    session_s: float


def load_login_settings(path: Path) -> LoginSettings:
    """Read the file. Raises `MisuseError` with every finding; `WorldError`, `ParseError` for a file as such."""
    findings = Findings()
    root = read_document(str(path), read_whole(path, FILE_BYTES_MAX), findings)
    shape = read_shape(OIDCShape, root, findings) if root else None
    if shape is None or findings.errors:
        raise MisuseError("\n".join(map(str, findings.sorted())) or f"{path}:1:1: the file is empty")
    secret = None
    if shape.client_secret_file is not None:
        secret = read_whole(Path(shape.client_secret_file), FILE_BYTES_MAX).decode("utf-8", "replace").strip()
        if not secret:
            raise MisuseError(f"{shape.place_of('client_secret_file')}: client_secret_file: the file is empty")
    provider = ProviderSettings(
        shape.issuer, shape.client_id, secret, ca_file=None if shape.ca_file is None else Path(shape.ca_file)
    )
    rules = tuple(
        RoleRule(rule.claim, rule.value, Grant(rule.role, None if rule.services is None else frozenset(rule.services)))
        for rule in shape.roles
    )
    return LoginSettings(provider, rules, shape.name_claim, shape.session)
