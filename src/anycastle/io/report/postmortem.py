"""A postmortem as a document."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from anycastle.io.pictures.incident import Loss, Mark, draw_incident
from anycastle.io.report.document import Block, Bullets, Document, Figures, Paragraph, Picture, Rows, Section
from anycastle.response.postmortem import Impact, Moments, Postmortem

AUTOMATION_MAX: Final = 40
TIMELINE_MAX: Final = 300
"""Rows of a report; a timeline that is longer is read by `incidents timeline`."""


def document_of(found: Postmortem, picture: Path | None) -> Document:
    """Give the document; `picture` is where `draw` has drawn, if it has."""
    incident = found.incident
    over = "goes on" if incident.cleared is None else f"cleared {_time(incident.cleared)}"
    about = f"Incident {incident.id}, {incident.status.value}: opened {_time(incident.opened)}, {over}."
    sections = [
        Section("Summary", list(_summary(found))),
        Section("Times", [_times(found.moments, unhurt=_unhurt(found.impact))]),
        Section("Impact by region", list(_impact(found.impact, picture))),
        Section("Likely causes", list(_causes(found))),
        Section("What automation did", list(_automation(found))),
        Section("Hysteresis", list(_patience(found))),
        Section("Timeline", list(_timeline(found))),
        Section("Action items", _actions(found)),
    ]
    return Document(f"Postmortem: {incident.title}", about, sections)


def draw(found: Postmortem, path: Path) -> None:
    """Draw impact and events over time. Raises `MisuseError`, `WorldError`, `ImportError` without matplotlib."""
    moments = found.moments
    zero = moments.began if moments.began is not None else moments.opened
    losses = [
        Loss(each.region, [(at - zero, share) for at, share in each.series]) for each in found.impact if each.asked
    ]
    ticks = [(line.at - zero, line.lane) for line in found.timeline.lines]
    named = (
        (moments.began, "first sign"), (moments.paged, "page"), (moments.acted, "first act"),
        (moments.last_loss, "last loss"), (moments.cleared, "cleared"),
    )  # fmt: skip
    marks = [Mark(at - zero, word) for at, word in named if at is not None]
    first, last = _shown_span(found, zero)
    pad = max(1.0, 0.05 * (last - first))
    draw_incident(
        losses, ticks, marks, (first - pad, last + pad), path,
        title="Answers lost, and what happened",
        about="Share of probes without an answer, by region; below it the timeline's lines.",
    )  # fmt: skip


def _shown_span(found: Postmortem, zero: float) -> tuple[float, float]:
    """Give the seconds that are drawn: from the first sign to the last thing that happened, not to the clearing.

    An incident is cleared minutes after all is well, by design; drawn to scale, what matters would be a line.
    """
    moments = found.moments
    known = [each for each in (moments.paged, moments.acted, moments.last_loss) if each is not None]
    happened = [line.at for line in found.timeline.lines if line.where]
    last = max([*known, *happened], default=zero + 1.0) - zero
    return 0.0, max(1.0, last)


def _summary(found: Postmortem) -> Iterator[Block]:
    moments, incident, unhurt = found.moments, found.incident, _unhurt(found.impact)
    yield Figures(
        [
            ("nothing" if unhurt else _span(moments.detection_s), "to detect, from the first lost answer"),
            (_span(moments.page_s), "to the page, from the first sign"),
            (_span(moments.mitigation_s), "to the first act against it"),
            ("nothing" if unhurt else _span(moments.recovery_s), "from the first to the last lost answer"),
            (_lost(found.impact), "of probes had no answer"),
        ]
    )
    named = (
        ("PoPs", incident.pops), ("services", incident.services), ("prefixes", incident.prefixes),
        ("regions", incident.regions),
    )  # fmt: skip
    concerns = "; ".join(f"{word} {', '.join(sorted(names))}" for word, names in named if names)
    yield Paragraph(f"It concerned {concerns or 'nothing that has a name here'}.")
    if unhurt:
        yield Paragraph("No probe lost an answer: there is no first lost one to count from.")
    if incident.acknowledged_by:
        yield Paragraph(f"Acknowledged by {incident.acknowledged_by}.")
    if found.gaps:
        yield Paragraph(f"It rests on less than there might be. Not given: {', '.join(found.gaps)}.")


def _times(moments: Moments, *, unhurt: bool) -> Rows:
    rows = (
        ("first sign", moments.began, ""),
        ("first lost answer", moments.first_loss, ""),
        ("first engine that said so", moments.detected, ""),
        ("incident opened", moments.opened, ""),
        ("somebody paged", moments.paged, ""),
        ("acknowledged", moments.acknowledged, ""),
        ("first act", moments.acted, moments.act),
        ("last lost answer", moments.last_loss, ""),
        ("cleared", moments.cleared, ""),
    )
    zero = moments.began if moments.began is not None else moments.opened
    return Rows(
        ("moment", "at", "after", "what"),
        [(word, _moment(word, at, unhurt=unhurt), "" if at is None else f"{at - zero:+.1f} s", what)
         for word, at, what in rows],
        mono=frozenset({1, 2}),
    )  # fmt: skip


def _moment(word: str, at: float | None, *, unhurt: bool) -> str:
    if at is not None:
        return _time(at)
    return "none" if unhurt and "lost answer" in word else "not known"


def _unhurt(impact: Sequence[Impact]) -> bool:
    """Tell whether probes were given, and none lost an answer: that is known, and not unknown."""
    return any(each.asked for each in impact) and not any(each.lost for each in impact)


def _impact(impact: Sequence[Impact], picture: Path | None) -> Iterator[Block]:
    if picture is not None:
        yield Picture(picture, "Share of probes without an answer by region, and what happened, over time.")
    if not impact:
        yield Paragraph("No probes were given: what clients lost is not known.")
        return
    yield Rows(
        ("region", "probes", "without an answer", "networks hurt", "from", "to"),
        [
            (
                each.region or "not known", str(each.asked), f"{each.lost} ({each.lost / each.asked:.1%})",
                f"{each.networks_hurt} of {each.networks}", "-" if each.first is None else _time(each.first),
                "-" if each.last is None else _time(each.last),
            )
            for each in impact
        ],
        mono=frozenset({4, 5}),
    )  # fmt: skip


def _causes(found: Postmortem) -> Iterator[Block]:
    if not found.causes:
        yield Paragraph("None of the twenty symptoms is seen in what was given.")
        return
    yield Rows(
        ("state", "cause", "seen", "against"),
        [
            (each.judgement.state.value, f"{each.symptom.cause} ({each.symptom.name})", each.judgement.evidence[0],
             "; ".join(each.judgement.against))
            for each in found.causes
        ],
        mark=0,
    )  # fmt: skip


def _automation(found: Postmortem) -> Iterator[Block]:
    if not found.automation:
        yield Paragraph("Nothing, by the logs that were given.")
        return
    shown = found.automation[:AUTOMATION_MAX]
    yield Rows(
        ("at", "PoP", "what"), [(_time(each.at), each.pop or "-", each.text) for each in shown], mono=frozenset({0})
    )
    if len(found.automation) > len(shown):
        yield Paragraph(f"And {len(found.automation) - len(shown)} further lines.")


def _patience(found: Postmortem) -> Iterator[Block]:
    if not found.patience:
        yield Paragraph("No check failed, by the logs that were given.")
        return
    for each in found.patience:
        yield Paragraph(
            f"{each.service} at {each.pop}: {each.failures} failed verdicts, {each.moves} changes of stance."
        )
        yield Bullets(each.judged)


def _timeline(found: Postmortem) -> Iterator[Block]:
    lines = found.timeline.lines
    yield Rows(
        ("at", "lane", "what", "where"),
        [(_time(line.at), line.lane, line.text, line.where) for line in lines[:TIMELINE_MAX]],
        mono=frozenset({0}), mark=1,
    )  # fmt: skip
    more = len(lines) - TIMELINE_MAX + found.timeline.beyond
    if more > 0:
        yield Paragraph(f"And {more} further lines: anycastle incidents timeline {found.incident.id}.")


def _actions(found: Postmortem) -> list[Block]:
    suggested = [f"{each.symptom.fix} ({each.symptom.name})" for each in found.causes]
    gaps = [f"Have at hand next time: {gap}" for gap in found.gaps]
    return [
        Paragraph("For people to decide: each with an owner and a date. What the evidence suggests:"),
        Bullets(
            [*suggested, *gaps, "Route filtering: ...", "Monitoring: ...", "Automation and hysteresis: ..."], open=True
        ),
    ]


def _lost(impact: Sequence[Impact]) -> str:
    asked = sum(each.asked for each in impact)
    return f"{sum(each.lost for each in impact) / asked:.1%}" if asked else "not known"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "not known"
    if seconds < 0:
        return "before it"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
