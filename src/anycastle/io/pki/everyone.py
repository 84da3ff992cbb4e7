"""The certificates of a whole fleet in one folder, made where they lack and renewed before they end.

pki/               the authority
controller/        the controller's certificate and key
agents/            those of each PoP's agent, NAME.pem and NAME.key: each belongs on the machine of its PoP
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.io.link.credentials import EXPIRES_SOON_S
from anycastle.io.link.files import CredentialFiles
from anycastle.io.pki.authority import Authority, create, open_authority
from anycastle.io.pki.certificates import life_of, read_certificate
from anycastle.model.fleet import Fleet
from anycastle.model.identity import Role

CONTROLLER: Final = "controller"


@dataclass(frozen=True, slots=True)
class Everyone:
    """Where everything is."""

    controller: CredentialFiles
    agents: Path
    made: tuple[str, ...]
    """Who has a new or renewed certificate now."""


def certify(folder: Path, fleet: Fleet, host: str, now: Timestamp) -> Everyone:
    """See to it that the controller, which is dialled at `host`, and each PoP of a fleet has a certificate.

    Raises `MisuseError`, `ParseError`, `WorldError`.
    """
    pki, controller, agents = folder / "pki", folder / CONTROLLER, folder / "agents"
    if not (pki / "index.json").exists():
        create(pki, fleet.name, now)
    with open_authority(pki) as authority:
        made = [CONTROLLER] if _see_to(authority, Role.CONTROLLER, CONTROLLER, controller, now, (host,)) else []
        made += [pop.name for pop in fleet.pops if _see_to(authority, Role.POP, pop.name, agents, now)]
        authority.write_crl(now)
    certificate = controller / f"{CONTROLLER}.pem"
    shown = CredentialFiles(pki / "bundle.pem", certificate, certificate.with_suffix(".key"), pki / "crl.pem")
    return Everyone(shown, agents, tuple(made))


def _see_to(
    authority: Authority, role: Role, name: str, out: Path, now: Timestamp, hosts: tuple[str, ...] = ()
) -> bool:
    """Issue or renew one certificate where that is due; tell whether it was."""
    path = out / f"{name}.pem"
    if not path.exists():
        authority.issue(role, name, out, now, hosts=hosts)
        return True
    if life_of(read_certificate(path)).end - now > EXPIRES_SOON_S:
        return False
    authority.renew(path, now)
    return True
