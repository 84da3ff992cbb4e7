"""`anycastle telemetry show`: the indicators of one collector, or of several put together."""

from typing import TYPE_CHECKING

import click

from anycastle.cli.output import Form, Table, output_option, print_form

if TYPE_CHECKING:
    from anycastle.slo.reading import Reading
    from anycastle.slo.telemetry.measurements import Measurements

DEFAULT = "http://127.0.0.1:4318"


@click.command()
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--window", default="1h", show_default=True, help="How far back, such as 10m or 24h.")
@click.option("--regions", is_flag=True, help="Each region beside the whole.")
@output_option(Form.TABLE, Form.JSON)
def show(urls: tuple[str, ...], window: str, regions: bool, form: Form) -> None:
    """Print the indicators, each with its interval of 95 % and what it was computed of.

    Of several collectors the counts are added, and read as one: percentiles are never averaged. Without URL:
    http://127.0.0.1:4318.

    \b
    Example:
      anycastle telemetry show http://fra.example:4318 http://ams.example:4318 --window 24h
    """
    import numpy as np

    from anycastle.io.config.units import parse_duration
    from anycastle.io.telemetry.readings_json import plain
    from anycastle.slo.reading import GLOBAL
    from anycastle.slo.telemetry.cells import summed

    parse_duration(window)
    whole = summed(_fetched(url.rstrip("/"), window) for url in urls or (DEFAULT,))
    readings = whole.readings(np.random.default_rng(1))
    if not regions:
        readings = [each for each in readings if each.scope == GLOBAL or each.indicator == "M4"]
    headings = ("id", "name", "scope", "value", "95 %", "of", "state", "note")
    print_form(form, [plain(each) for each in readings], Table(headings, [_row(each) for each in readings]))


def _fetched(url: str, window: str) -> "Measurements":
    import httpx2
    import msgspec

    from anycastle.base.errors import WorldError
    from anycastle.io.telemetry.state import decode

    try:
        answer = httpx2.get(f"{url}/measurements", params={"window": window}, timeout=30, trust_env=False)
        if answer.status_code != 200:
            raise WorldError(f"{url}: status {answer.status_code}: {answer.text[:200].strip()}")
        return decode(answer.content)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise WorldError(f"{url}: {str(error) or type(error).__name__}") from error
    except msgspec.DecodeError as error:
        raise WorldError(f"{url}: no collector of this version answers there: {error}") from error


def _row(reading: "Reading") -> tuple[str, ...]:
    from anycastle.slo.indicators.table import INDICATORS

    indicator = next(each for each in INDICATORS.values() if each.id == reading.indicator)

    def shown(value: float) -> str:
        return f"{value * 100:.4g} %" if indicator.unit == "ratio" else f"{value:.4g} {indicator.unit}"

    interval = reading.interval
    low, high = (shown(interval.low), shown(interval.high)) if interval else ("", "")
    return (
        reading.indicator,
        indicator.name,
        reading.scope,
        "-" if reading.value is None else shown(reading.value),
        f"{low} to {high}" if interval else "-",
        f"{reading.count:.6g}",
        reading.state.value,
        reading.note,
    )
