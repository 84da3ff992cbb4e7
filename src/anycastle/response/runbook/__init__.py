"""Runbooks: Markdown for people, with typed steps that a machine carries out. Reading and deciding are pure."""
