from anycastle.lab.world_map import Mark, draw
from anycastle.model.pop import Location

BLANK = chr(0x2800)


def cell_at(latitude: float, longitude: float) -> str:
    grid = draw([Mark(Location(latitude, longitude), "X", "", "mark")], 120, 30)
    ((row, column),) = [(r, c) for r, cells in enumerate(grid) for c, cell in enumerate(cells) if cell.style == "mark"]
    return draw([], 120, 30)[row][column].character


def test_land_is_where_land_is() -> None:
    for latitude, longitude in ((50, 10), (40, -100), (-10, -55), (0, 25), (-25, 135), (60, 100), (20, 78)):
        assert cell_at(latitude, longitude) != BLANK
    for latitude, longitude in ((30, -45), (0, -140), (-20, 75), (-40, -120)):
        assert cell_at(latitude, longitude) == BLANK


def test_a_label_never_covers_a_mark_or_another_label() -> None:
    places = [Location(50.0, 10.0 + step) for step in range(0, 24, 3)]
    marks = [Mark(place, "●", f"city{number}", "pop") for number, place in enumerate(places)]
    drawn = "".join(cell.character if cell.style == "pop" else " " for row in draw(marks, 120, 30) for cell in row)
    assert drawn.count("●") == len({int((place.longitude + 180) / 3) for place in places})
    for word in drawn.replace("●", " ").split():
        assert word in {f"city{number}" for number in range(len(places))}


def test_every_row_has_the_width_that_was_asked_for() -> None:
    for width, height in ((40, 12), (80, 20), (140, 26)):
        grid = draw([Mark(Location(-89, 179.9), "●", "far away", "pop")], width, height)
        assert [len(row) for row in grid] == [width] * height
