"""RDY004: what is announced is valid by the RPKI, and sessions are bounded."""

from typing import Final

from anycastle.model.rpki import Validity
from anycastle.rollout.readiness.row import Asked, Row, answered, unknown

CODE: Final = "RDY004"
TITLE: Final = "RPKI and route filters are in place"


def routing_security(asked: Asked) -> Row:
    """Look at the validity of each announcement and mitigation, and for the most prefixes that a session may bring."""
    if asked.validity is None:
        return unknown(CODE, TITLE, "no RPKI data were given", "give --vrps FILE|URL: a validator's JSON export")
    good = [f"{prefix}: valid" for prefix, said in asked.validity.items() if said is Validity.VALID]
    wrong = [
        f"{prefix}: {said.value.replace('_', ' ')}, from AS{asked.fleet.asn}"
        for prefix, said in asked.validity.items()
        if said is not Validity.VALID
    ]
    for pop in asked.fleet.pops:
        for upstream in pop.upstreams:
            told = f"{pop.name}: {upstream.name} "
            if upstream.max_prefixes is None:
                wrong.append(told + "may bring any number of prefixes: set max_prefixes")
            else:
                good.append(told + f"may bring {upstream.max_prefixes} prefixes")
    advice = "make the ROAs, and bound the sessions; `anycastle irr filter` writes filters"
    return answered(CODE, TITLE, good, wrong, advice)
