import gzip
import json
import os
from pathlib import Path

import pytest

from anycastle.base.errors import AnycastleError, ParseError, WorldError
from anycastle.io.rpki import export
from anycastle.io.rpki.export import read_export
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.model.rpki import VRP, Validity

REPOSITORY = Path(__file__).parents[4]
REAL = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "rpki"

RPKI_CLIENT = """{
  "metadata": { "buildtime": "2026-11-20T09:31:33Z", "roas": 3 },
  "roas": [
    { "asn": 64500, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "ripe", "expires": 1795253058 },
    { "asn": 64501, "prefix": "2001:db8::/32", "maxLength": 48, "ta": "ripe", "expires": 1795253059 },
    { "asn": 0, "prefix": "198.51.100.0/24", "maxLength": 32, "ta": "arin", "expires": 1795253060 }
  ],
  "bgpsec_keys": [ { "asn": 1, "pubkey": "x" } ],
  "aspas": [ { "customer_asid": 64500, "expires": 1795253061, "providers": [ 64601, 64602 ] } ]
}"""
ROUTINATOR = """{"metadata":{"generated":1795250000,"generatedTime":"2026-11-20T08:33:20Z"},"roas":[
{"asn":"AS64500","prefix":"192.0.2.0/24","maxLength":24,"ta":"ripe"}],"aspas":[
{"customer":"AS64500","providers":["AS64601"],"ta":"ripe"}]}"""


def stored(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "export.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


@pytest.mark.mission("I8")
@pytest.mark.parametrize("packed", [False, True])
def test_an_export_of_rpki_client_is_read(tmp_path: Path, packed: bool) -> None:
    octets = RPKI_CLIENT.encode()
    data = read_export(stored(tmp_path, gzip.compress(octets) if packed else octets))
    assert len(data.vrps) == 3
    assert data.vrps.validity(parse_prefix("192.0.2.0/24"), ASN(64500)) is Validity.VALID
    assert data.vrps.validity(parse_prefix("2001:db8:1::/48"), ASN(64501)) is Validity.VALID
    assert data.vrps.expiry(VRP(parse_prefix("198.51.100.0/24"), 32, ASN(0))) == 1795253060
    assert data.aspas[ASN(64500)].providers == {64601, 64602}
    assert data.built == 1795167093.0


def test_an_export_of_routinator_is_read(tmp_path: Path) -> None:
    data = read_export(stored(tmp_path, ROUTINATOR))
    assert data.vrps.covering(parse_prefix("192.0.2.0/24")) == (VRP(parse_prefix("192.0.2.0/24"), 24, ASN(64500)),)
    assert data.vrps.expiry(VRP(parse_prefix("192.0.2.0/24"), 24, ASN(64500))) is None
    assert data.aspas[ASN(64500)].providers == {64601}
    assert data.built == 1795250000.0


def test_an_export_without_roas_is_an_empty_table(tmp_path: Path) -> None:
    assert len(read_export(stored(tmp_path, '{"roas": [ ]}')).vrps) == 0


def test_chunks_cut_anywhere_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roas = [{"asn": n, "prefix": f"10.{n}.0.0/16", "maxLength": 16 + n % 9} for n in range(200)]
    name = stored(tmp_path, json.dumps({"roas": roas}))
    whole = {str(vrp) for vrp in read_export(name).vrps.within(parse_prefix("10.0.0.0/8"))}
    assert len(whole) == 200
    for octets in (1, 50, 77, 1000):
        monkeypatch.setattr(export, "CHUNK_OCTETS", octets)
        assert {str(vrp) for vrp in read_export(name).vrps.within(parse_prefix("10.0.0.0/8"))} == whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not the JSON export of a validator: Input data was truncated"),
        ('{"metadata": {}}', 'it has no list "roas"'),
        ('{"roas": [{"asn": 1, "prefix": 5}]}', r"after 0 ROAs: Expected `str`, got `int` - at `\$\[0\].prefix`"),
        (
            '{"roas": [{"asn": 1, "prefix": "10.0.0.0/33"}]}',
            r"ROA 1, 10.0.0.0/33 of 1: the lengths 33 and 33 are out of range",
        ),
        ('{"roas": [{"asn": 1, "prefix": "10.0.0.0/8", "maxLength": 7}]}', "ROA 1, .* out of range"),
        ('{"roas": [{"asn": "AS-X", "prefix": "10.0.0.0/8"}]}', "ROA 1, .* not an AS number"),
        ('{"roas": [{"asn": 1, "prefix": "ten/8"}]}', "ROA 1, ten/8 of 1"),
        ('{"roas": [], "aspas": [{"providers": [1]}]}', "ASPA 1: it names no customer"),
        ('{"roas": [], "aspas": [{"customer": "x", "providers": []}]}', "ASPA 1: 'x' is not an AS number"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        read_export(stored(tmp_path, text))


def test_a_file_that_is_cut_or_missing_or_endless_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(RPKI_CLIENT.encode())
    with pytest.raises(WorldError, match="ends too early"):
        read_export(stored(tmp_path, packed[:-20]))
    with pytest.raises(WorldError, match="No such file"):
        read_export(str(tmp_path / "none"))
    monkeypatch.setattr(export, "EXPORT_OCTETS_MAX", 100)
    with pytest.raises(WorldError, match="larger than"):
        read_export(stored(tmp_path, RPKI_CLIENT))


def test_every_cut_of_an_export_is_an_error_of_ours(tmp_path: Path) -> None:
    for length in range(len(RPKI_CLIENT)):
        with pytest.raises(AnycastleError):
            read_export(stored(tmp_path, RPKI_CLIENT[:length]))


@pytest.mark.mission("I8", "C11")
def test_a_full_export_of_2025_is_small_in_memory() -> None:
    path = REAL / "rpkiclient_summary_20250720T093135Z.json.bz2"
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    data = read_export(str(path))
    assert len(data.vrps) == 723_521  # its own count of unique VRPs
    assert data.vrps.octets < 100e6
    assert len(data.aspas) == 100
    assert data.vrps.validity(parse_prefix("1.1.1.0/24"), ASN(13335)) is Validity.VALID
    assert data.vrps.validity(parse_prefix("1.1.1.0/24"), ASN(64500)) is Validity.INVALID
