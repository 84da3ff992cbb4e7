import json

import msgspec
import pytest

from anycastle.base.errors import ParseError
from anycastle.io.announcement_json import AnnouncementShape, announcements_of, plain, shapes_of
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.community import parse_community
from anycastle.model.prefix import parse_prefix

COMMUNITIES = ("65535:0", "64500:1:2", "rt:64500:9", "soo:4200000000:9", "0x0300000000000001")
ROUTES = frozenset(
    {
        Announcement(parse_prefix("192.0.2.0/24"), "t1"),
        Announcement(
            parse_prefix("2001:db8::/48"), "t2", RouteAttributes(3, 0, 50, frozenset(map(parse_community, COMMUNITIES)))
        ),
    }
)


def test_announcements_come_back_from_json_as_they_went() -> None:
    octets = msgspec.json.encode(shapes_of(ROUTES))
    assert announcements_of(msgspec.json.decode(octets, type=list[AnnouncementShape])) == ROUTES


def test_they_are_in_the_order_of_their_prefixes_and_say_only_what_is_set() -> None:
    first, second = plain(ROUTES)
    assert first == {"prefix": "192.0.2.0/24", "upstream": "t1"}
    assert second["med"] == 0
    assert sorted(second["communities"]) == sorted(COMMUNITIES)
    json.dumps([first, second])


@pytest.mark.parametrize(
    "shape", [AnnouncementShape("192.0.2.0", "t1"), AnnouncementShape("192.0.2.0/24", "t1", communities=("x",))]
)
def test_a_shape_that_says_nothing_is_refused(shape: AnnouncementShape) -> None:
    with pytest.raises(ParseError):
        announcements_of([shape])
