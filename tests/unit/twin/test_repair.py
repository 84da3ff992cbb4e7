from anycastle.model.asn import ASN
from anycastle.twin.deployment import Deployment, Session, SessionGroup, Standing, Wiring
from anycastle.twin.graph import Link, Links, build_graph
from anycastle.twin.repair import Repair
from anycastle.twin.routes import Propagation
from tests.property.internets import found


def test_a_session_that_comes_back_is_held_against_what_a_provider_comes_to_offer() -> None:
    """AS10 hears its provider AS20, an origin, and AS65 of ours as a provider: both two long, and AS20 is the lower."""
    session = Session(neighbour=ASN(10), standing=Standing.PROVIDER)
    groups = (
        SessionGroup(name="session", pop="one", asn=ASN(65), sessions=(session,)),
        SessionGroup(name="origin", pop="one", asn=ASN(20), sessions=()),
    )
    graph = build_graph(Links.of([Link(ASN(20), ASN(10), -1)]))
    propagation = Propagation(Wiring.of(graph, Deployment(groups)))
    repair = Repair.of(propagation)
    repair.withdraw("one")
    repair.announce("one")
    assert found(repair.routes) == found(propagation.run())
