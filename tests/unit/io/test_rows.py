"""Rows from CSV and YAML: one set of fields, and every bad cell with its place."""

import pytest

from anycastle.base.errors import ParseError
from anycastle.io.rows import ERRORS_SHOWN, Field, heading_of, parse_number, parse_rows, parse_words, read_rows

FIELDS = (
    Field("name", parse_words),
    Field("size", parse_number(0, 10, "size"), 1.0, also=("extent",)),
)


def read(tmp_path, text, name="rows.csv", key="things"):
    path = tmp_path / name
    path.write_text(text)
    return [row.value for row in read_rows(path, FIELDS, key)]


def refusal(tmp_path, text, name="rows.csv"):
    with pytest.raises(ParseError) as raised:
        read(tmp_path, text, name)
    return str(raised.value).replace(f"{tmp_path}/", "").splitlines()


def test_csv_and_yaml_give_the_same(tmp_path):
    wanted = [{"name": "a", "size": 2.5}, {"name": "b", "size": 1.0}]
    assert read(tmp_path, "# made by hand\nName, extent ,more\na,2.5,x\n\nb,,y\n") == wanted
    assert read(tmp_path, "things:\n  - {name: a, extent: 2.5}\n  - name: b\n", "rows.yaml") == wanted


def test_quoted_cells_keep_their_commas_and_places(tmp_path):
    assert read(tmp_path, 'name,size\n"a, b",3\n')[0] == {"name": "a, b", "size": 3.0}
    assert refusal(tmp_path, 'name,size\n"a, b",33\n') == ["rows.csv:2:8: size: '33' is no size from 0 to 10"]


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    assert refusal(tmp_path, "name,size\na,x\n,2\nb,11\nc,2,3\n") == [
        "rows.csv:2:3: size: 'x' is no size from 0 to 10",
        "rows.csv:3:1: name: a value is needed",
        "rows.csv:4:3: size: '11' is no size from 0 to 10",
        "rows.csv:5:5: more cells than the heading has; 3 stand here",
    ]


def test_what_is_wrong_in_yaml(tmp_path):
    text = "things:\n  - {name: a, sice: 2}\n  - {size: [1, 2], name: b}\n  - 7\n  - {size: {x: 1}}\nthing: []\n"
    assert refusal(tmp_path, text, "rows.yaml") == [
        "rows.yaml:6:1: thing: no such key here; did you mean 'things'?",
        "rows.yaml:2:15: things[0].sice: no such key; did you mean 'size'?",
        "rows.yaml:3:12: things[1].size: '1 2' is no size from 0 to 10",
        "rows.yaml:4:5: things[2]: a mapping of keys to values is needed",
        "rows.yaml:5:12: things[3].size: one value, or a list of such, is needed",
        "rows.yaml:5:5: name: a value is needed",
    ]


def test_a_heading_that_was_mistyped(tmp_path):
    assert refusal(tmp_path, "nmae,sise\na,1\n") == [
        "rows.csv:1:1: no column is named 'nmae'; did you mean 'name'?",
        "rows.csv:1:6: no column is named 'sise'; did you mean 'size'?",
    ]
    assert refusal(tmp_path, "size\n1\n") == ["rows.csv:1:1: the heading has no column 'name'"]


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "1_0", "0x1", "1e99"])
def test_numbers_that_are_none(tmp_path, number):
    assert "is no size" in refusal(tmp_path, f"name,size\na,{number}\n")[0]


def test_a_file_without_a_row(tmp_path):
    assert refusal(tmp_path, "name,size\n") == ["rows.csv:1:1: things: no row stands here"]
    assert refusal(tmp_path, "other: 1\n", "rows.yaml")[-1] == "rows.yaml:1:1: things: a list is needed"


def test_many_errors_are_counted(tmp_path):
    lines = refusal(tmp_path, "name,size\n" + "a,x\n" * 50)
    assert len(lines) == ERRORS_SHOWN + 1
    assert lines[-1] == f"and {50 - ERRORS_SHOWN} more"


def test_another_heading_is_called_as_the_file_calls_it(tmp_path):
    assert refusal(tmp_path, "name,extent\na,x\n") == ["rows.csv:2:3: extent: 'x' is no size from 0 to 10"]
    assert heading_of("# note\nName,Extent\n", FIELDS[1]) == "extent"
    assert heading_of("name\n", FIELDS[1]) == "size"


def test_a_mistyped_other_heading_of_what_is_needed():
    fields = (Field("weight", parse_words, also=("users",)), Field("share", parse_words, "", also=("count",)))
    with pytest.raises(ParseError, match=r"q.csv:1:1: no column is named 'usres'; did you mean 'users'\?"):
        parse_rows("usres,country\n1,DE\n", "q.csv", fields)  # a country is no mistyped count, which is not needed


def test_quotes_that_are_not_closed_end_with_their_line(tmp_path):
    assert read(tmp_path, 'name,size\n"x,1\n2,3\n') == [{"name": "x,1", "size": 1.0}, {"name": "2", "size": 3.0}]


def test_a_cell_beyond_all_limits_is_refused(tmp_path):
    long = "x" * 200_000
    assert refusal(tmp_path, f'name,size\n"{long}",1\n') == ["rows.csv:2:1: name: more than 4096 characters"]


def test_an_empty_file(tmp_path):
    assert refusal(tmp_path, "") == ["rows.csv:1:1: the file has no line; the first names the columns"]
