"""Prefix filters as BIRD 2 reads them: one set of prefixes a family, for `net ~ NAME` in a filter."""

from collections.abc import Iterator

from anycastle.watch.irr.prefix_filter import PrefixFilter


def bird_filter(each: PrefixFilter) -> Iterator[str]:
    """Give the lines of a definition. An empty set matches nothing."""
    yield f"# {each.registered} {each.family} prefixes; suggested: import limit {each.max_prefix} action restart;"
    if not each.ranges:
        yield f"define {each.name} = [];"
        return
    yield f"define {each.name} = ["
    last = len(each.ranges) - 1
    for number, one in enumerate(each.ranges):
        yield f"  {one}{'' if number == last else ','}"
    yield "];"
