"""`anycastle slo minimum`: the arithmetic behind minimum counts."""

import click

from anycastle.cli.output import Form, Table, output_option, print_form


@click.command()
@click.option("--target", default="99.9%", show_default=True, help="Of the objective.")
@click.option("--window", default="30d", show_default=True, help="Of the objective: 30d, week, month, quarter.")
@click.option("--false-pages", type=click.FloatRange(0, 1000, min_open=True), default=0.1, show_default=True,
              help="False alarms a month that a rule may raise by chance.")  # fmt: skip
@output_option(Form.TABLE, Form.JSON)
def minimum(target: str, window: str, false_pages: float, form: Form) -> None:
    """Work out how many events the long window of each burn-rate rule needs before it means anything.

    A healthy service spends half its budget. Of n of its events, k or more are bad with a chance that is binomial; k is
    what the rule's mark needs of n. Below the minimum that chance is greater than what the month's looks may have.

    \b
    Example:
      anycastle slo minimum --target 99.95%
    """
    from anycastle.base.errors import MisuseError
    from anycastle.model.objective import Objective, parse_share, parse_window
    from anycastle.slo.burn import RULES
    from anycastle.slo.minimum_counts import minimum_count

    objective = Objective("", "", "", parse_share(target), window=parse_window(window))
    if not 0 < objective.target < 1:
        raise click.UsageError(f"a target lies between 0 and 100%, both excluded, not at {target}")
    values, rows = [], []
    for rule in RULES:
        factor = rule.factor(objective.window)
        try:
            found = minimum_count(objective.budget, factor, rule.short_s, false_pages)
        except MisuseError as error:
            values.append({"rule": rule.name, "factor": factor, "never": str(error)})
            rows.append((rule.name, rule.severity.value, f"{factor:g}", "", "", "", "never", str(error)))
            continue
        values.append(
            {
                "rule": rule.name,
                "severity": rule.severity.value,
                "factor": factor,
                "mark": found.mark,
                "looks_per_month": found.looks,
                "chance_per_look": found.chance,
                "bad": found.bad,
                "events": found.events,
                "chance_of_bad": found.chance_of_bad,
            }
        )
        rows.append(
            (rule.name, rule.severity.value, f"{factor:g}", f"{found.mark:.4%}", f"{found.looks:g}",
             f"{found.chance:.1e}", f"{found.events:,}", f"{found.bad} bad ones pass; chance {found.chance_of_bad:.1e}")
        )  # fmt: skip
    columns = ("rule", "severity", "factor", "mark", "looks a month", "chance a look", "events", "why")
    print_form(form, values, Table(columns, rows))
