"""RDY003: there is a runbook for each disaster that anycast brings, and somebody looked at it lately."""

from typing import Final

from anycastle.rollout.readiness.row import Asked, Row, answered, unknown

CODE: Final = "RDY003"
TITLE: Final = "Runbooks are at hand, and fresh"

NEEDED: Final = ("hijack", "route-leak", "pop-failure", "ddos")
FRESH_S: Final = 366 * 86_400.0


def runbooks(asked: Asked) -> Row:
    """Look for the files; whether anybody followed them in earnest no file can say."""
    if asked.runbooks is None:
        files = ", ".join(f"{name}.md" for name in NEEDED)
        return unknown(CODE, TITLE, "no folder of runbooks was given", f"give --runbooks DIR, with {files}")
    good, wrong = [], []
    for name in NEEDED:
        changed = asked.runbooks.get(name)
        if changed is None:
            wrong.append(f"{name}: there is no {name}.md")
        elif asked.now - changed > FRESH_S:
            wrong.append(f"{name}: not looked at for {(asked.now - changed) / 86_400.0:.0f} days")
        else:
            good.append(f"{name}: changed {max(0.0, asked.now - changed) / 86_400.0:.0f} days ago")
    return answered(CODE, TITLE, good, wrong, "write what lacks; follow it once in the lab, and date it")
