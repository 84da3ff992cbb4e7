"""The endpoints, a file for each resource; `ROUTERS` is all of them."""

from typing import Final

from fastapi import APIRouter

from anycastle.web.routes import (
    audit,
    catchments,
    deliveries,
    drains,
    events,
    findings,
    fleet,
    freeze,
    glass,
    health,
    incidents,
    logins,
    mitigations,
    orders,
    pages,
    places,
    problem_types,
    revisions,
    rollout_orders,
    rollouts,
    serving,
    session,
    tokens,
    whoami,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    health.ROUTER,
    problem_types.ROUTER,
    whoami.ROUTER,
    logins.ROUTER,
    session.ROUTER,
    fleet.ROUTER,
    revisions.ROUTER,
    places.ROUTER,
    serving.ROUTER,
    rollouts.ROUTER,
    rollout_orders.ROUTER,
    freeze.ROUTER,
    glass.ROUTER,
    orders.ROUTER,
    drains.ROUTER,
    mitigations.ROUTER,
    events.ROUTER,
    findings.ROUTER,
    catchments.ROUTER,
    incidents.ROUTER,
    deliveries.ROUTER,
    tokens.ROUTER,
    audit.ROUTER,
    pages.ROUTER,
)
