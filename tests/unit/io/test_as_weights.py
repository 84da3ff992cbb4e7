"""Files of weights, regions, loads and options: what is read, and where each error is."""

import gzip
from pathlib import Path

import pytest

from anycastle.base.errors import ParseError
from anycastle.io.as_weights import parse_labels, parse_weights, read_labels, read_loads, read_weights
from anycastle.io.option_table import read_options
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Configuration, Deployment, Session, SessionGroup, Treatment


def test_own_logs() -> None:
    found = parse_weights("asn,users\n64500,10\nAS64501,2.5\n64500,1\n", "logs.csv")
    assert (found.of_asn, found.source) == ({64500: 11.0, 64501: 2.5}, "users of logs.csv")


def test_a_list_as_apnic_prints_it() -> None:
    text = 'Rank,AS,AS Name,CC,Users (est.)\n1,AS4134,"CHINANET, No.31",CN,"337,112,954"\n2,AS9829,BSNL,IN,9\n'
    found = parse_weights(text, "apnic.csv")
    assert found.of_asn == {4134: 337112954.0, 9829: 9.0}


def test_ranges_of_addresses(tmp_path: Path) -> None:
    path = tmp_path / "asn.csv.gz"
    path.write_bytes(gzip.compress(b'16777216,16777471,13335,"Cloudflare, Inc."\n16778240,16779263,38803,Gtelecom\n'
                                   b"16781312,16781567,13335,again\n"))  # fmt: skip
    found = read_weights(path)
    assert (found.of_asn, found.source) == ({13335: 512.0, 38803: 1024.0}, "addresses of asn.csv.gz")


def test_every_error_of_a_file_at_its_place() -> None:
    text = 'asn,name,users\n64500,"a, b",x\n,c,1\n64501,d\n64502,"e, f",-4\n64503,g,5\n'
    with pytest.raises(ParseError) as caught:
        parse_weights(text, "w.csv")
    assert str(caught.value).splitlines() == [
        "w.csv:2:14: users: 'x' is no number",
        "w.csv:3:1: asn: a value is needed",
        "w.csv:4:1: users: a value is needed",
        "w.csv:5:14: users: -4 is not within 0 and 1e+18",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "w.csv:1:1: the file has no line; the first names the columns"),
        ("asn,users\n", "w.csv:1:1: no row stands here"),
        ("asn,user\n1,2\n", "w.csv:1:5: no column is named 'user'"),
        ("asn,user\n1,2\n", "did you mean 'users'?"),
        ("asn,size\n1,2\n", "w.csv:1:1: the heading has no column 'users' or 'weight' or"),
        ("asn,users\n1,0\n", "w.csv:1:1: no AS has a weight above 0"),
        ("asn,users\n1,nan\n", "w.csv:2:3: users: nan is not within"),
        ("asn,users\n1,1e30\n", "w.csv:2:3: users: 1e30 is not within"),
    ],
)
def test_files_that_are_no_weights(text: str, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_weights(text, "w.csv")
    assert words in str(caught.value)


def test_many_errors_are_cut() -> None:
    with pytest.raises(ParseError) as caught:
        parse_weights("asn,users\n" + "x,1\n" * 50, "w.csv")
    assert str(caught.value).splitlines()[-1] == "and 30 more"


def test_bad_ranges_come_all_at_once(tmp_path: Path) -> None:
    path = tmp_path / "asn.csv"
    path.write_text("16777216,16777471,13335\n5,4,1\n1,42540766411282592856903984951653826560,3\n", encoding="utf-8")
    with pytest.raises(ParseError) as caught:
        read_weights(path)
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [f"{path}:2:1", f"{path}:3:1"]
    path.write_text("16777216,16777471,AU\n", encoding="utf-8")
    with pytest.raises(ParseError, match="is this a file by country"):  # ranges by country are no weights
        read_weights(path)


def test_regions(tmp_path: Path) -> None:
    assert parse_labels("as,country\nAS1,DE\n2,BR\n", "r.csv") == {1: "DE", 2: "BR"}
    with pytest.raises(ParseError, match=r"r.csv:2:3: region: a value is needed"):
        parse_labels("asn,region\n1,\n", "r.csv")
    asns, countries = tmp_path / "asn.csv", tmp_path / "country.csv"
    asns.write_text("0,99,1\n100,119,2\n200,299,1\n", encoding="utf-8")
    countries.write_text("0,99,DE\n100,119,BR\n200,500,FR\n", encoding="utf-8")
    assert read_labels(countries, asns) == {1: "FR", 2: "BR"}  # alike in both countries: the later in the alphabet


def test_loads(tmp_path: Path) -> None:
    path = tmp_path / "seen.csv"
    path.write_text("pop,load\n# at noon\nfra1,38.5G\niad1,0\n", encoding="utf-8")
    assert read_loads(path) == {"fra1": 38.5e9, "iad1": 0.0}
    path.write_text("pop,load\nfra1,38\n", encoding="utf-8")
    with pytest.raises(ParseError, match=r":2:6: load: 38 has no unit; write 38G, 38M or 38k"):
        read_loads(path)


def deployment() -> Deployment:
    return Deployment(
        tuple(
            SessionGroup(name, name.partition("/")[0], ASN(64500), (Session(ASN(asn)),))
            for name, asn in (("fra1/a", 1), ("fra1/b", 2), ("iad1/a", 1))
        )
    )


PRESENT = Configuration({"fra1/a": Treatment(1), "fra1/b": Treatment(), "iad1/a": Treatment()})


def test_options_of_a_table() -> None:
    text = "name,fra1,fra1/b,iad1\nshed,3,,\nonly b,-,0,-\n\nback,,,2\n"
    found = {each.name: each.configuration.announced for each in read_options(text, "o.csv", deployment(), PRESENT)}
    assert found == {
        "shed": {"fra1/a": Treatment(3), "fra1/b": Treatment(3), "iad1/a": Treatment()},
        "only b": {"fra1/b": Treatment(0)},
        "back": {"fra1/a": Treatment(1), "fra1/b": Treatment(), "iad1/a": Treatment(2)},
    }


def test_every_error_of_a_table_of_options() -> None:
    with pytest.raises(ParseError) as caught:
        read_options("name,fra2,iad1\na,x,99\n,1,-\nb,1\n", "o.csv", deployment(), PRESENT)
    assert str(caught.value).splitlines() == [
        "o.csv:1:6: no PoP or session 'fra2'; did you mean 'fra1'?",
        "o.csv:2:3: fra2: 'x' is no number of prepends, 0 to 16, nor -",
        "o.csv:2:5: iad1: '99' is no number of prepends, 0 to 16, nor -",
        "o.csv:3:1: name: an option needs a name",
        "o.csv:4:1: 2 cells for 3 columns",
    ]
    for text in ("", "fra1\n", "name,fra1\n"):
        with pytest.raises(ParseError):
            read_options(text, "o.csv", deployment(), PRESENT)
