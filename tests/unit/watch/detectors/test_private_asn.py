"""ASNs that nobody has, in the path of our routes."""

from anycastle.model.asn import AS_TRANS
from tests.unit.watch.scene import OWN, UPSTREAMS, Scene


def test_a_private_asn_is_found_and_cleared_with_who_kept_it() -> None:
    scene = Scene()
    scene.see([1, 2], 3356, 65010, UPSTREAMS[0], OWN)
    scene.see([1, 2], 3356, UPSTREAMS[0], OWN)
    scene.wait(60)
    (opened,) = scene.opened()
    assert (opened.finding_kind, opened.subject) == ("private_asn", "AS3356")
    assert opened.reasons[0].startswith("AS65010 is for private use")
    assert len(scene.cleared()) == 1


def test_as_trans_only_tells_of_an_old_router() -> None:
    scene = Scene()
    scene.see([1, 2], 3356, AS_TRANS, UPSTREAMS[0], OWN)
    assert scene.events == []
