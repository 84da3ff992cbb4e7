"""A weekly or monthly review as a document."""

from collections.abc import Iterator
from datetime import UTC, datetime

from anycastle.io.report.document import Block, Bullets, Document, Figures, Paragraph, Rows, Section
from anycastle.response.review import Review


def document_of(found: Review, *, monthly: bool) -> Document:
    """Give the document; what is looked at once a month comes with `monthly`."""
    if found.known is None:
        about = "Nothing is known of this time by what was given."
    else:
        about = f"Of {_time(found.span.start)} to {_time(found.span.end)} UTC; known from {_time(found.known[0])} to "
        about += f"{_time(found.known[1])}."
    sections = [
        Section("Summary", list(_summary(found))),
        Section("Health checks", list(_checks(found))),
        Section("BGP sessions", list(_sessions(found))),
        Section("Incidents", list(_incidents(found))),
        Section("What the Internet saw", list(_findings(found))),
    ]
    if monthly:
        sections += [
            Section(
                "Routing policy", list(_listed(found.policy, "No upstream was found to do otherwise than told.", found))
            ),
            Section(
                "RPKI", list(_listed(found.registries, "No ROA was found missing, invalid, or about to end.", found))
            ),
            Section("Capacity of PoPs", list(_capacity(found))),
        ]
    left = ("Checks to mend: ...", "Sessions to look at: ...", "Actions of postmortems: ...")
    sections.append(Section("To decide", [Bullets(left, open=True)]))
    return Document(f"Review of {found.span.name}", about, sections)


def _summary(found: Review) -> Iterator[Block]:
    share = f"{found.lost / found.probes:.2%}" if found.probes else "not known"
    yield Figures(
        [
            (str(len(found.incidents)), "incidents"),
            (str(found.pages), "pages"),
            (str(found.withdrawals), "withdrawals"),
            (str(found.refusals), "withdrawals refused"),
            (share, "of probes had no answer"),
        ]
    )
    if found.changes:
        orders = ", ".join(f"{who} {count}" for who, count in sorted(found.changes.items()))
        yield Paragraph(f"Orders that were granted, by who gave them: {orders}.")
    if found.missing:
        yield Paragraph(f"It rests on less than there might be. Not given: {', '.join(found.missing)}.")


def _checks(found: Review) -> Iterator[Block]:
    if not found.checks:
        yield Paragraph("No check changed its verdict, by what was given.")
        return
    yield Rows(
        ("PoP", "service", "check", "failures", "without a lost answer near", "failing for"),
        [
            (each.pop, each.service, each.check, str(each.failures),
             "not known" if each.unconfirmed is None else str(each.unconfirmed), _span(each.down_s))
            for each in found.checks
        ],
    )  # fmt: skip


def _sessions(found: Review) -> Iterator[Block]:
    if found.sessions is None:
        yield Paragraph("No agent's log was given.")
    elif not found.sessions:
        yield Paragraph("No session changed.")
    else:
        yield Rows(
            ("PoP", "session", "losses", "down for"),
            [(each.pop, each.session, str(each.losses), _span(each.down_s)) for each in found.sessions],
        )


def _incidents(found: Review) -> Iterator[Block]:
    if not found.incidents:
        yield Paragraph("None.")
        return
    yield Rows(
        ("id", "opened", "lasted", "urgency", "title"),
        [
            (str(each.id), _time(each.opened), "goes on" if each.cleared is None else _span(each.cleared - each.opened),
             each.urgency.value, each.title)
            for each in found.incidents
        ],
        mono=frozenset({1}),
    )  # fmt: skip


def _findings(found: Review) -> Iterator[Block]:
    if found.findings is None:
        yield Paragraph("The watch's log was not given.")
    elif not found.findings:
        yield Paragraph("Nothing but what was meant.")
    else:
        yield Rows(("finding", "opened"), [(kind, str(count)) for kind, count in sorted(found.findings.items())])


def _listed(lines: tuple[str, ...], none: str, found: Review) -> Iterator[Block]:
    if found.findings is None:
        yield Paragraph("The watch's log was not given: not known.")
    elif lines:
        yield Bullets(lines)
    else:
        yield Paragraph(none)


def _capacity(found: Review) -> Iterator[Block]:
    rows = [
        (pop, metric, f"{value:.0%}" if metric in ("cpu", "hit_ratio") else f"{value:,.0f} a second")
        for metric, pops in sorted(found.peaks.items())
        for pop, value in sorted(pops.items())
    ]
    if rows:
        yield Rows(("PoP", "metric", "greatest"), rows)
    else:
        yield Paragraph("No telemetry was given: not known.")


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
