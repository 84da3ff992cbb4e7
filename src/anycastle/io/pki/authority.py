"""A fleet's certificate authority in a folder.

    ca.pem, ca.key     the authority that issues
    bundle.pem         all authorities that are trusted; controllers and agents get it
    crl.pem            what was revoked, one list for each trusted authority; controllers get it
    index.json         what was issued and revoked
    former/            authorities that issue no more, and are trusted until they are retired

What is issued is in the index before it is handed out. No key is ever written over. One process at a time changes the
folder.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from msgspec.structs import replace

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.durable import write_durably
from anycastle.io.lock import claim
from anycastle.io.pki.certificates import (
    PrivateKey,
    PublicKey,
    authority_certificate,
    hosts_of,
    identity_of,
    key_octets,
    leaf_certificate,
    life_of,
    lifetime,
    new_key,
    pem,
    read_certificate,
    read_file,
    read_key,
    revocation_list,
)
from anycastle.model.identity import Identity, Role, parse_identity, require_name

AUTHORITY_DAYS: Final = 3650.0
POP_DAYS: Final = 30.0
CONTROLLER_DAYS: Final = 90.0
CRL_DAYS: Final = 30.0
_VERSION: Final = 1


class Issued(msgspec.Struct, frozen=True):
    """A certificate that was issued. `serial` and `authority` in hexadecimal digits."""

    serial: str
    identity: str
    hosts: tuple[str, ...]
    start: float
    end: float
    authority: str
    revoked_at: float | None = None
    reason: str = ""

    def state(self, now: Timestamp) -> str:
        """Tell whether it is `good`, `expired` or `revoked`."""
        return "revoked" if self.revoked_at is not None else "good" if now < self.end else "expired"


class _Index(msgspec.Struct):
    version: int
    fleet: str
    crl_number: int = 0
    crl_days: float = CRL_DAYS
    issued: list[Issued] = []


@dataclass(frozen=True, slots=True)
class _Signer:
    certificate: x509.Certificate
    key: PrivateKey

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:x}"


class Authority:
    """An authority that is open. Get one by `create` or `open_authority`."""

    def __init__(self, folder: Path, index: _Index) -> None:
        self.folder = folder
        self._index = index

    @property
    def fleet(self) -> str:
        """The fleet's name, as certificates have it."""
        return self._index.fleet

    @property
    def issued(self) -> Sequence[Issued]:
        """All that was issued, in its order."""
        return self._index.issued

    # -- issuing --------------------------------------------------------------------------------------------------

    def issue(
        self, role: Role, name: str, out: Path, now: Timestamp, *, hosts: Sequence[str] = (), days: float | None = None
    ) -> tuple[Path, Path]:
        """Make a key and a certificate, `NAME.key` and `NAME.pem` in `out`; both must be new. Gives their paths.

        Raises `MisuseError`, `ParseError`, `WorldError`.
        """
        identity = Identity(self.fleet, role, require_name(name))
        if (role is Role.CONTROLLER) != bool(hosts):
            raise MisuseError("a controller's certificate names the hosts that agents dial, an agent's names none")
        certificate_path, key_path = out / f"{name}.pem", out / f"{name}.key"
        taken = [str(path) for path in (certificate_path, key_path) if path.exists()]
        if taken:
            raise MisuseError(f"{', '.join(taken)} is there already; keys are not written over")
        key = new_key()
        certificate = self._sign(identity, hosts, key.public_key(), now, days)
        _make_folder(out)
        write_new(key_path, key_octets(key), 0o600)
        write_new(certificate_path, pem(certificate), 0o644)
        return certificate_path, key_path

    def renew(self, path: Path, now: Timestamp, *, days: float | None = None) -> Issued:
        """Put a new certificate for the same key and names in the place of the one in a file.

        Raises `MisuseError` for one that this authority did not issue, or that was revoked.
        """
        before = read_certificate(path)
        entry = self._entry(f"{before.serial_number:x}")
        if entry is None or identity_of(before).fleet != self.fleet:
            raise MisuseError(f"{path}: this authority did not issue it")
        if entry.revoked_at is not None:
            raise MisuseError(f"{path}: it was revoked; issue another with a new key")
        public_key = before.public_key()
        assert isinstance(public_key, PublicKey)
        certificate = self._sign(identity_of(before), hosts_of(before), public_key, now, days)
        write_durably(path, pem(certificate), 0o644)
        return self._index.issued[-1]

    def _sign(
        self, identity: Identity, hosts: Sequence[str], public_key: PublicKey, now: Timestamp, days: float | None
    ) -> x509.Certificate:
        signer = self._signer()
        usual = POP_DAYS if identity.role is Role.POP else CONTROLLER_DAYS
        life = lifetime(now, usual if days is None else days)
        if life.end > life_of(signer.certificate).end:
            raise MisuseError("it would outlive the authority: renew that first, by `anycastle pki rotate`")
        certificate = leaf_certificate(identity, hosts, public_key, signer.certificate, signer.key, life)
        self._index.issued.append(
            Issued(
                f"{certificate.serial_number:x}", str(identity), tuple(hosts), life.start, life.end, signer.serial
            )
        )  # fmt: skip
        self._save()
        return certificate

    # -- taking back ----------------------------------------------------------------------------------------------

    def revoke(self, which: str, reason: str, now: Timestamp) -> list[Issued]:
        """Revoke by serial number, or all good ones of an identity (`pop/ams`), and write the list. Gives them."""
        found = [
            number
            for number, entry in enumerate(self._index.issued)
            if which.lower() == entry.serial or which in (entry.identity, entry.identity.split("/", 3)[-1])
        ]
        if not found:
            raise MisuseError(f"no certificate {which!r} was issued; `anycastle pki list` shows all")
        good = [number for number in found if self._index.issued[number].state(now) == "good"]
        if not good:
            raise MisuseError(f"{which}: no good certificate to revoke")
        for number in good:
            self._index.issued[number] = replace(self._index.issued[number], revoked_at=float(now), reason=reason)
        self.write_crl(now)
        return [self._index.issued[number] for number in good]

    def write_crl(self, now: Timestamp, days: float | None = None) -> int:
        """Write the lists of all trusted authorities with the next number, which it gives."""
        self._index.crl_number += 1
        self._index.crl_days = self._index.crl_days if days is None else days
        life = lifetime(now, self._index.crl_days)
        self._save()  # the number is used, whatever becomes of the lists
        lists = [
            revocation_list(self._revoked(signer), self._index.crl_number, signer.certificate, signer.key, life)
            for signer in (self._signer(), *self._former())
        ]
        write_durably(self.folder / "crl.pem", b"".join(map(pem, lists)), 0o644)
        return self._index.crl_number

    def _revoked(self, signer: _Signer) -> list[tuple[int, Timestamp]]:
        return [
            (int(entry.serial, 16), Timestamp(entry.revoked_at))
            for entry in self._index.issued
            if entry.revoked_at is not None and entry.authority == signer.serial
        ]

    # -- rotation -------------------------------------------------------------------------------------------------

    def rotate(self, now: Timestamp, days: float = AUTHORITY_DAYS) -> str:
        """Make a new authority that issues from now on; the one before stays trusted. Gives the new one's serial."""
        before, key = self._signer(), new_key()
        former = self.folder / "former"
        _make_folder(former)
        for suffix in ("key", "pem"):
            kept = former / f"{before.serial}.{suffix}"
            if not kept.exists():  # else an earlier try got as far as here
                write_new(kept, read_file(self.folder / f"ca.{suffix}"), 0o600 if suffix == "key" else 0o644)
        certificate = authority_certificate(self.fleet, key, lifetime(now, days))
        # The new one is trusted before it issues; a crash in between leaves a spare certificate in the bundle.
        self._write_bundle([certificate, before.certificate, *(signer.certificate for signer in self._former())])
        write_durably(self.folder / "ca.key", key_octets(key), 0o600)  # what it held is in `former`
        write_durably(self.folder / "ca.pem", pem(certificate), 0o644)
        self._write_bundle([certificate, *(signer.certificate for signer in self._former())])
        self.write_crl(now)
        return f"{certificate.serial_number:x}"

    def retire(self, now: Timestamp) -> list[str]:
        """Trust former authorities no more. Raises `MisuseError` while a good certificate of theirs is there."""
        former = list(self._former())
        if not former:
            raise MisuseError("there is no former authority")
        serials = [signer.serial for signer in former]
        bound = [e.identity for e in self._index.issued if e.authority in serials and e.state(now) == "good"]
        renewed = {e.identity for e in self._index.issued if e.authority not in serials and e.state(now) == "good"}
        missing = sorted(set(bound) - renewed)
        if missing:
            raise MisuseError(f"not renewed yet: {', '.join(missing)}; renew or revoke them first")
        self._write_bundle([self._signer().certificate])
        for signer in former:
            for suffix in ("key", "pem"):
                path = self.folder / "former" / f"{signer.serial}.{suffix}"
                path.rename(path.with_name(f"retired-{path.name}"))
        self.write_crl(now)
        return serials

    # -- files ----------------------------------------------------------------------------------------------------

    def _signer(self) -> _Signer:
        signer = _Signer(read_certificate(self.folder / "ca.pem"), read_key(self.folder / "ca.key"))
        if signer.certificate.public_key() != signer.key.public_key():
            raise WorldError(f"{self.folder}: ca.key is not the key of ca.pem; see `former`", retryable=False)
        return signer

    def _former(self) -> Iterator[_Signer]:
        current = read_certificate(self.folder / "ca.pem").serial_number
        for path in sorted((self.folder / "former").glob("[0-9a-f]*.pem")):
            certificate = read_certificate(path)
            if certificate.serial_number != current:
                yield _Signer(certificate, read_key(path.with_suffix(".key")))

    def _entry(self, serial: str) -> Issued | None:
        return next((entry for entry in self._index.issued if entry.serial == serial), None)

    def _write_bundle(self, certificates: Sequence[x509.Certificate]) -> None:
        write_durably(self.folder / "bundle.pem", b"".join(map(pem, certificates)), 0o644)

    def _save(self) -> None:
        write_durably(self.folder / "index.json", msgspec.json.format(msgspec.json.encode(self._index)), 0o600)


def create(folder: Path, fleet: str, now: Timestamp, days: float = AUTHORITY_DAYS) -> Authority:
    """Make an authority in a folder that is new or empty. Raises `MisuseError`, `ParseError`, `WorldError`."""
    require_name(fleet)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MisuseError(f"{folder} is not empty; nothing was written")
    _make_folder(folder)
    key = new_key()
    certificate = authority_certificate(fleet, key, lifetime(now, days))
    write_new(folder / "ca.key", key_octets(key), 0o600)
    write_new(folder / "ca.pem", pem(certificate), 0o644)
    authority = Authority(folder, _Index(_VERSION, fleet))
    authority._write_bundle([certificate])
    authority.write_crl(now)
    return authority


@contextmanager
def open_authority(folder: Path, *, changing: bool = True) -> Iterator[Authority]:
    """Open an authority; `changing` keeps others out until the end. Raises `WorldError`."""
    if not (folder / "index.json").is_file():
        raise WorldError(f"{folder} holds no authority; make one by `anycastle pki init`", retryable=False)
    lock = claim(folder, "pki", "changes this authority") if changing else None
    try:
        yield Authority(folder, _read_index(folder / "index.json"))
    finally:
        if lock is not None:
            os.close(lock)


def _read_index(path: Path) -> _Index:
    try:
        index = msgspec.json.decode(read_file(path), type=_Index)
    except msgspec.DecodeError as error:
        raise WorldError(f"{path} is damaged: {error}", retryable=False) from error
    if index.version != _VERSION:
        raise WorldError(f"{path} is of version {index.version}; this release reads {_VERSION}", retryable=False)
    for entry in index.issued:
        parse_identity(entry.identity)
    return index


def write_new(path: Path, octets: bytes, mode: int) -> None:
    """Write a file that is not there yet. Raises `MisuseError` where it is, `WorldError`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError as error:
        raise MisuseError(f"{path} is there already; nothing is written over") from error
    except OSError as error:
        raise WorldError(f"{path} cannot be written: {error.strerror}", retryable=False) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WorldError(f"{folder} cannot be made: {error.strerror}", retryable=False) from error
