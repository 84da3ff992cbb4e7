"""`anycastle demo`: the main job, shown on this machine."""

import click

from anycastle.cli.output import Form, output_option


@click.command()
@output_option(Form.TEXT, Form.JSON)
@click.option("--keep", is_flag=True, help="Stay up after the scenario, until Ctrl-C.")
def demo(form: Form, keep: bool) -> None:
    """Run a fleet of five PoPs on this machine, let one fail, and measure what clients see.

    Real BGP sessions, agents, checks and name servers on the loopback; no root is needed, and nothing is left behind.
    """
    import asyncio

    from anycastle.cli.output import print_json
    from anycastle.lab.demo import Demo, Happening
    from anycastle.lab.world import world

    def tell(happening: Happening) -> None:
        if form is Form.TEXT:
            click.echo(f"{happening.at:7.3f}  {happening.kind:6}  {happening.text}")

    async def play() -> Demo:
        played = Demo(world(), tell)
        await played.run(asyncio.Event() if keep else None)
        return played

    try:
        played = asyncio.run(play())
    except KeyboardInterrupt:
        return
    print_json(played.figures.plain())
