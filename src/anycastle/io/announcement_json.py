"""Announcements as JSON, for the sockets and files between our own processes."""

from collections.abc import Iterable
from typing import Any

import msgspec

from anycastle.model.announcement import Announcement, Announcements, RouteAttributes
from anycastle.model.community import parse_community
from anycastle.model.prefix import parse_prefix


class AttributesShape(msgspec.Struct, frozen=True):
    """Attributes of a route; communities in their text form."""

    prepend: int = 0
    med: int | None = None
    local_preference: int | None = None
    communities: tuple[str, ...] = ()


class AnnouncementShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """One announcement; communities in their text form."""

    prefix: str
    upstream: str
    prepend: int = 0
    med: int | None = None
    local_preference: int | None = None
    communities: tuple[str, ...] = ()


def attributes_shape_of(attributes: RouteAttributes) -> AttributesShape:
    """Give the shape of a route's attributes."""
    communities = tuple(str(community) for community in sorted(attributes.communities, key=str))
    return AttributesShape(attributes.prepend, attributes.med, attributes.local_preference, communities)


def attributes_of(shape: AttributesShape | AnnouncementShape) -> RouteAttributes:
    """Give the attributes of a shape. Raises `ParseError`."""
    communities = frozenset(parse_community(text) for text in shape.communities)
    return RouteAttributes(shape.prepend, shape.med, shape.local_preference, communities)


def shape_of(route: Announcement) -> AnnouncementShape:
    """Give the shape of an announcement."""
    told = attributes_shape_of(route.attributes)
    return AnnouncementShape(
        str(route.prefix), route.upstream, told.prepend, told.med, told.local_preference, told.communities
    )


def shapes_of(routes: Iterable[Announcement]) -> list[AnnouncementShape]:
    """Give the shapes of announcements, in the order of their prefixes."""
    return [shape_of(route) for route in sorted(routes, key=lambda route: (route.prefix, route.upstream))]


def announcement_of(shape: AnnouncementShape) -> Announcement:
    """Give the announcement of a shape. Raises `ParseError`."""
    return Announcement(parse_prefix(shape.prefix), shape.upstream, attributes_of(shape))


def announcements_of(shapes: Iterable[AnnouncementShape]) -> Announcements:
    """Give the announcements of shapes. Raises `ParseError`."""
    return frozenset(announcement_of(shape) for shape in shapes)


def plain(routes: Iterable[Announcement]) -> list[dict[str, Any]]:
    """Give announcements as plain values, for people and other programs."""
    built: list[dict[str, Any]] = msgspec.to_builtins(shapes_of(routes))
    return built
