"""Routing changes like deployments: withdraw permits at the controller, desired state, plans, stages, gates."""
