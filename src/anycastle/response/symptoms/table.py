"""All twenty symptoms, and what a case shows of them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from anycastle.response.evidence import Case
from anycastle.response.symptoms import clients, people, routes
from anycastle.response.symptoms.symptom import Judgement, State, Symptom

SYMPTOMS: Final[Sequence[Symptom]] = (
    Symptom(
        1, "latency-up", "Latency rose everywhere", "An upstream prefers another path",
        "Look at local preference and MED anew; steer by prepends or communities",
        "`anycastle watch history PREFIX` shows other paths from that time on",
        "paths are as before, and one PoP alone is slow: look there", "partial-reachability", routes.new_path,
    ),
    Symptom(
        2, "region-cut-off", "A part of a region has no answer", "A provider's filter blocks the announcement",
        "Ask the provider; add another upstream for that region",
        "`anycastle watch show PREFIX`: peers of that region do not hold the prefix",
        "they hold it: then it is the forwarding, or the PoP", "partial-reachability", clients.region_cut_off,
    ),
    Symptom(
        3, "sessions-reset", "Users' sessions are reset", "Failover moves clients, and state does not move along",
        "Replicate sessions, or have tokens that need no state",
        "`anycastle probe catchments FILE` shows the same vantage points at another PoP after the resets",
        "clients stayed at their PoP: look at the service itself", "", clients.sessions_break,
    ),
    Symptom(
        4, "flaky-checks", "Health checks withdraw again and again", "A check is flaky",
        "Raise its `fall`, add a second check and a quorum; dampening is on by default",
        "`anycastle events --kind check_changed`: what it says when it fails",
        "probes from outside fail at the same times: the service is what flaps", "pop-failure", people.flaky_checks,
    ),
    Symptom(
        5, "false-hijack", "Alerts of hijacks that are none", "Noise of a collector, or a peer's passing mistake",
        "Confirm by several collectors before paging; tell the watch of origins that may announce",
        "`anycastle watch show PREFIX`: only one collector's peers saw it, and it is gone",
        "other collectors see it too, or traffic moves", "hijack", routes.false_hijack,
    ),
    Symptom(
        6, "edge-cpu", "Processors at the edge are busy", "A storm of traffic, or an attack",
        "Limit rates, scrub, spread the load over more PoPs",
        "packets a second rose with it: `anycastle twin attack` ranks what could be announced",
        "traffic is as usual: a release or a cache is the reason", "ddos", clients.overload,
    ),
    Symptom(
        7, "stale-caches", "Caches differ", "A purge did not reach all PoPs",
        "Purge through the origin and wait for every edge's word; version what can be versioned",
        "`anycastle probe run http URL --contains TEXT --site-header NAME` from several networks",
        "all PoPs are wrong alike: then it is the origin", "", clients.stale_caches,
    ),
    Symptom(
        8, "blind-spots", "Regions that nobody looks from", "No probes outside in that region",
        "Place probers there, or use public ones, and telemetry of users",
        "`anycastle preflight --catchments FILE`, row PRE002",
        "each region has five networks that ask", "", clients.blind_spots,
    ),
    Symptom(
        9, "burn-too-wide", "An error budget burns fast", "The objective does not allow for how routes behave",
        "Split it by region; allow for convergence after our own changes",
        "one region burns, or it burns after each change of routes",
        "every region burns: users are hurt everywhere", "", people.poor_objective,
    ),
    Symptom(
        10, "hijack", "A prefix is hijacked", "Neither RPKI nor filters keep others from announcing it",
        "Make ROAs; ask upstreams to filter; keep mitigations ready",
        "`anycastle rpki validate PREFIX ASN` says invalid, and several collectors see it",
        "the origin is one of ours, or a customer that may", "hijack", routes.hijack,
    ),
    Symptom(
        11, "blackhole-in-maintenance", "Traffic falls into a hole during maintenance",
        "Routes were withdrawn or announced in the wrong order",
        "Drain: steer first, withdraw when traffic is gone, announce in stages",
        "the log shows a withdrawal without steering before, and losses right after",
        "a check failed before anybody ordered anything", "pop-failure", people.out_of_order,
    ),
    Symptom(
        12, "session-churn", "BGP sessions come and go", "A router is short of resources, or configured wrongly",
        "Look at the router's memory and processor; at timers, MTU and filters of the session",
        "one router's sessions are lost, those of others are not",
        "sessions with one upstream are lost at all PoPs: it is theirs", "partial-reachability", routes.churn,
    ),
    Symptom(
        13, "asymmetry", "Clients land where they should not", "Upstreams' policies differ",
        "Harmonise local preference by communities; prepend with care",
        "`anycastle twin predict` differs from `anycastle probe catchments`",
        "the PoP of their region is drained or withdrawn", "partial-reachability", clients.asymmetry,
    ),
    Symptom(
        14, "misleading-traces", "Traceroutes contradict each other", "Load balancers with several equal paths",
        "Trace with fixed ports, several times, and read routes beside it",
        "`anycastle probe run traceroute` with different source ports shows different ways",
        "the PoP that answers changes too", "", clients.traces_mislead,
    ),
    Symptom(
        15, "alert-storm", "A storm of alerts though little is lost", "Alerts are not grouped, or too near the noise",
        "Group by prefix and PoP; raise thresholds",
        "`anycastle incidents replay`: how many incidents they really are",
        "much is lost: the storm is right", "", people.alert_storm,
    ),
    Symptom(
        16, "slow-convergence", "Convergence takes long", "Upstreams' timers are long",
        "Agree on timers and BFD; have the application try another address",
        "`convergence_measured` beyond 30 s, with peers that reacted late",
        "peers never reacted: filtered", "pop-failure", routes.slow_convergence,
    ),
    Symptom(
        17, "short-lives", "Edges are busy asking the origin", "Lifetimes in caches are too short",
        "Let them live longer; serve stale while fetching anew",
        "hits are few, requests to the origin rose, without a purge or a drain",
        "clients moved there a moment ago: caches are cold, and warm up", "", clients.short_lives,
    ),
    Symptom(
        18, "registries-old", "Traffic goes astray after a change of AS", "IRR or RPKI was not brought up to date",
        "Bring objects and ROAs up to date, and tell the peers",
        "`anycastle rpki audit` and `anycastle irr audit` name the routes",
        "both audits are clean", "partial-reachability", routes.registries,
    ),
    Symptom(
        19, "announced-unheard", "A PoP announces and gets no traffic", "An upstream refuses the prefix",
        "Check the prefix's length, its ROA and its route object; ask the upstream",
        "`anycastle watch show PREFIX`: no path goes through that upstream",
        "paths go there: the hole is behind the router", "partial-reachability", routes.refused,
    ),
    Symptom(
        20, "too-many-pages", "Too many pages", "Checks are too sensitive, nothing is suppressed",
        "Hysteresis, grouping, silences for what is planned",
        "the same page comes again and again, and clears by itself",
        "each page was another trouble", "", people.too_many_pages,
    ),
)  # fmt: skip
"""In the order of the guide that they come from."""


class Diagnosis(NamedTuple):
    """A symptom and what the case shows of it."""

    symptom: Symptom
    judgement: Judgement


_ORDER: Final = (State.LIKELY, State.POSSIBLE, State.NOT_ENOUGH, State.NOT_SEEN)


def diagnose(case: Case) -> list[Diagnosis]:
    """Ask all rules; the likely ones first, by weight."""
    found = [Diagnosis(symptom, symptom.rule(case)) for symptom in SYMPTOMS]
    return sorted(
        found,
        key=lambda each: (_ORDER.index(each.judgement.state), -each.judgement.weight, each.symptom.number),
    )
