"""The authority: what it issues, what it keeps secret, and what it does not do."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.pki.authority import Authority, create, open_authority
from anycastle.io.pki.certificates import read_certificate, read_certificates
from anycastle.model.identity import Role

NOW = Timestamp(1_800_000_000.0)
DAY = 86_400.0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return create(tmp_path / "pki", "edge", NOW)


def verified(bundle: Path, leaf: Path, purpose: str) -> bool:
    """Ask OpenSSL's own command whether a certificate is good for a purpose."""
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW)), "-purpose", purpose, "-CAfile", str(bundle), str(leaf)]  # fmt: skip  # noqa: E501
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_each_certificate_is_good_for_its_own_purpose_only(authority: Authority, tmp_path: Path) -> None:
    agent, _ = authority.issue(Role.POP, "ams", tmp_path, NOW)
    controller, _ = authority.issue(Role.CONTROLLER, "one", tmp_path, NOW, hosts=["c.example.net", "192.0.2.9"])
    bundle = authority.folder / "bundle.pem"
    assert verified(bundle, agent, "sslclient")
    assert not verified(bundle, agent, "sslserver")
    assert verified(bundle, controller, "sslserver")
    assert not verified(bundle, controller, "sslclient")


def test_what_it_issued_can_issue_nothing(authority: Authority, tmp_path: Path) -> None:
    leaf = read_certificate(authority.issue(Role.POP, "ams", tmp_path, NOW)[0])
    above = read_certificate(authority.folder / "ca.pem")
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    limits = above.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (limits.critical, limits.value.ca, limits.value.path_length) == (True, True, 0)


def test_keys_are_for_their_owner_and_never_written_over(authority: Authority, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        _, key = authority.issue(Role.POP, "ams", tmp_path / "out", NOW)
    finally:
        os.umask(before)
    octets = key.read_bytes()
    for path in (key, authority.folder / "ca.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / "out" / "ams.pem").unlink()
    with pytest.raises(MisuseError, match="not written over"):
        authority.issue(Role.POP, "ams", tmp_path / "out", NOW)
    assert key.read_bytes() == octets
    assert len(authority.issued) == 1, "what was refused was not issued"


def test_the_list_of_revoked_has_numbers_and_outlives_a_restart(authority: Authority, tmp_path: Path) -> None:
    path, _ = authority.issue(Role.POP, "ams", tmp_path, NOW)
    serial = read_certificate(path).serial_number
    authority.revoke(f"{serial:x}", "stolen", NOW)
    with open_authority(authority.folder) as again:
        assert again.write_crl(NOW) == 3
        with pytest.raises(MisuseError, match="no good certificate"):
            again.revoke("pop/ams", "", NOW)
        with pytest.raises(MisuseError, match="revoked; issue another"):
            again.renew(path, NOW)
    listed = x509.load_pem_x509_crl((authority.folder / "crl.pem").read_bytes())
    assert [entry.serial_number for entry in listed] == [serial]
    assert listed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3
    assert listed.next_update_utc is not None
    assert listed.next_update_utc.timestamp() == NOW + 30 * DAY


def test_a_renewed_certificate_has_the_key_and_names_of_the_one_before(authority: Authority, tmp_path: Path) -> None:
    path, key = authority.issue(Role.CONTROLLER, "one", tmp_path, NOW, hosts=["c.example.net", "2001:db8::1"])
    before, octets = read_certificate(path), key.read_bytes()
    authority.renew(path, Timestamp(NOW + DAY))
    after = read_certificate(path)
    assert after.public_key() == before.public_key()
    assert after.not_valid_after_utc > before.not_valid_after_utc
    names = x509.SubjectAlternativeName
    assert after.extensions.get_extension_for_class(names) == before.extensions.get_extension_for_class(names)
    assert key.read_bytes() == octets


def test_what_another_authority_issued_is_not_renewed(authority: Authority, tmp_path: Path) -> None:
    other = create(tmp_path / "other", "edge", NOW)
    path, _ = other.issue(Role.POP, "ams", tmp_path, NOW)
    with pytest.raises(MisuseError, match="did not issue it"):
        authority.renew(path, NOW)


def test_a_new_authority_is_trusted_beside_the_one_before_until_that_is_retired(
    authority: Authority, tmp_path: Path
) -> None:
    old, _ = authority.issue(Role.POP, "ams", tmp_path, NOW)
    key = (authority.folder / "ca.key").read_bytes()
    authority.rotate(NOW)
    new, _ = authority.issue(Role.POP, "fra", tmp_path, NOW)
    bundle = authority.folder / "bundle.pem"
    assert len(read_certificates(bundle)) == 2
    assert verified(bundle, old, "sslclient")
    assert verified(bundle, new, "sslclient")
    assert [path.read_bytes() for path in (authority.folder / "former").glob("*.key")] == [key]
    authority.revoke("pop/ams", "retired", NOW)
    assert (authority.folder / "crl.pem").read_bytes().count(b"BEGIN X509 CRL") == 2
    authority.retire(NOW)
    assert not verified(bundle, old, "sslclient")
    assert verified(bundle, new, "sslclient")


def test_a_rotation_that_was_cut_short_is_found_and_nothing_is_lost(authority: Authority) -> None:
    kept = (authority.folder / "ca.pem").read_bytes()
    authority.rotate(NOW)
    (authority.folder / "ca.pem").write_bytes(kept)  # as if it had ended between the two files
    with pytest.raises(WorldError, match=r"ca\.key is not the key"):
        authority.issue(Role.POP, "ams", authority.folder / "out", NOW)


def test_one_process_at_a_time_changes_it(authority: Authority) -> None:
    with (
        open_authority(authority.folder),
        pytest.raises(WorldError, match="another pki changes this authority"),
        open_authority(authority.folder),
    ):
        pass


def test_a_damaged_index_is_not_guessed_at(authority: Authority) -> None:
    (authority.folder / "index.json").write_text("{")
    with pytest.raises(WorldError, match="is damaged"), open_authority(authority.folder):
        pass
