"""How the PoP of an AS is known: one scale for rules, ensembles and calibrated models."""

from enum import IntEnum


class Provenance(IntEnum):
    """What a prediction for an AS rests on, the best first: of two sources, the larger number is the weaker."""

    MEASURED = 0
    """The AS answered under this very set."""
    TRANSITIVE = 1
    """The AS answered under sets that imply the answer: it took i over k, and k over j."""
    INFERRED = 2
    """From the AS's other answers, its providers, its country or the paths."""
    ASSUMED = 3
    """Nothing is known of the AS but the rules, or what all ASes do."""
