"""The peers as equipment of the lab's PoPs: anycast-healthchecker 0.9.10 with BIRD, and ExaBGP 5.0.15's healthcheck.

Both look at the same name server as our agent does, at the same interval and fall. Their check is a TCP connection that
bash itself makes: as light as a forked check can be.
"""

import sys
from pathlib import Path

from anycastle.lab import bird_node
from anycastle.lab.fleet import far_end
from anycastle.lab.namespaces import NamespacesLab
from anycastle.lab.netns import program
from anycastle.lab.topology import Node, NodeKind
from anycastle.lab.wiring import SERVICE_PORT

BIN = Path(sys.executable).parent
FALL, RISE, INTERVAL_S = 3, 2, 1
GOOD_CHECK = f"#!/bin/bash\n: 2>/dev/null </dev/tcp/127.0.0.1/{SERVICE_PORT}\n"
BAD_CHECK = "#!/bin/bash\nexit 1\n"


def check_script(lab: NamespacesLab, pop: str) -> Path:
    return lab.wiring.folder(pop) / "check.sh"


def write_check(lab: NamespacesLab, pop: str, text: str) -> None:
    script = check_script(lab, pop)
    temporary = script.with_suffix(".new")
    temporary.write_text(text)
    temporary.chmod(0o755)
    temporary.replace(script)


def push_bad_checks(lab: NamespacesLab, _pop: str) -> None:
    for node in lab.topology.of_kind(NodeKind.POP):
        write_check(lab, node.name, BAD_CHECK)


def put_address(lab: NamespacesLab, pop: str) -> None:
    lab.namespace(pop).batch(f"addr add {lab.topology.services[0].address}/32 dev lo")


class Hand:
    """A BIRD that is told over its socket: no agent could be faster. What the machine itself takes."""

    def start(self, lab: NamespacesLab, node: Node) -> None:
        put_address(lab, node.name)
        above = f"protocol static anycast {{ ipv4; route {lab.topology.services[0].prefix} blackhole; }}"
        lab.start_router(node, bird_node.plain_pop_config(lab.topology, lab.wiring, node, 'proto = "anycast"', above))

    def withdraw(self, lab: NamespacesLab, pop: str) -> None:
        lab.bird(pop, "disable anycast")


class Healthchecker:
    """anycast-healthchecker with BIRD."""

    def start(self, lab: NamespacesLab, node: Node) -> None:
        folder, prefix = lab.wiring.folder(node.name), lab.topology.services[0].prefix
        put_address(lab, node.name)
        write_check(lab, node.name, GOOD_CHECK)
        names = folder / "prefixes.conf"
        names.write_text("define ACAST_PS_ADVERTISE = [ 10.189.200.255/32 ];\n")
        above = f'include "{names}";\nprotocol static anycast {{ ipv4; route {prefix} blackhole; }}'
        announced = 'proto = "anycast" && net ~ ACAST_PS_ADVERTISE'
        config = bird_node.plain_pop_config(lab.topology, lab.wiring, node, announced, above)
        lab.start_router(node, config)
        (folder / "healthchecker.conf").write_text(
            "[DEFAULT]\ninterface = lo\n[daemon]\n"
            f"pidfile = {folder}/healthchecker.pid\nipv4 = true\nipv6 = false\nbird_conf = {names}\n"
            "bird_variable = ACAST_PS_ADVERTISE\n"
            f"bird_reconfigure_cmd = {program('birdc')} -s {lab.wiring.control_socket(node.name)} configure\n"
            f"loglevel = info\nlog_file = {folder}/healthchecker.log\nstderr_file = {folder}/healthchecker.err\n"
        )
        self._start_checker(lab, node.name, disabled=False)

    def _start_checker(self, lab: NamespacesLab, pop: str, *, disabled: bool) -> None:
        folder = lab.wiring.folder(pop)
        services = folder / "services.d"
        services.mkdir(exist_ok=True)
        (services / "dns.conf").write_text(
            f"[dns]\ncheck_cmd = {check_script(lab, pop)}\ncheck_interval = {INTERVAL_S}\ncheck_timeout = 1\n"
            f"check_rise = {RISE}\ncheck_fail = {FALL}\ncheck_disabled = {str(disabled).lower()}\n"
            f"on_disabled = withdraw\nip_prefix = {lab.topology.services[0].prefix}\nip_check_disabled = true\n"
        )
        options = ("-f", str(folder / "healthchecker.conf"), "-d", str(services))
        lab.spawn(f"checker-{pop}", pop, str(BIN / "anycast-healthchecker"), *options)

    def withdraw(self, lab: NamespacesLab, pop: str) -> None:
        """As its documentation has it: disable the check, and restart."""
        lab.stop(f"checker-{pop}")
        self._start_checker(lab, pop, disabled=True)


class ExaBGP:
    """ExaBGP as the PoP's speaker, with its healthcheck. It installs no routes: the PoP has static ones."""

    def start(self, lab: NamespacesLab, node: Node) -> None:
        folder = lab.wiring.folder(node.name)
        put_address(lab, node.name)
        write_check(lab, node.name, GOOD_CHECK)
        self._route(lab, node)
        (folder / "exabgp.conf").write_text(self._config(lab, node))
        settings = ("exabgp.daemon.user=root", "exabgp.log.level=ERROR", "exabgp.api.cli=false")
        command = ("env", *settings, str(BIN / "exabgp"), "server", str(folder / "exabgp.conf"))
        lab.spawn(f"exabgp-{node.name}", node.name, *command)

    def _route(self, lab: NamespacesLab, node: Node) -> None:
        links = lab.topology.links_of(node.name)
        lines = [f"route add default via {lab.wiring.interface(links[0], far_end(links[0], node.name)).ip}"]
        for link in links:
            far = lab.topology.node(far_end(link, node.name))
            via = lab.wiring.interface(link, far.name).ip
            lines += [f"route add {network} via {via}" for network in lab.wiring.networks(far)]
        lab.namespace(node.name).batch(*lines)

    def _config(self, lab: NamespacesLab, node: Node) -> str:
        processes, neighbours = [], []
        prefix, asn = lab.topology.services[0].prefix, lab.topology.asn
        for link in lab.topology.links_of(node.name):
            far = lab.topology.node(far_end(link, node.name))
            near_address = lab.wiring.interface(link, node.name).ip
            far_address = lab.wiring.interface(link, far.name).ip
            path = " ".join([str(asn)] * (1 + link.prepend))
            prepend = f'--as-path "{path}" ' if link.prepend else ""
            watch = f"watch-{far.name}"
            processes.append(
                f"process {watch} {{ run {sys.executable} -m exabgp healthcheck --cmd {check_script(lab, node.name)}"
                f" --interval {INTERVAL_S} --fast-interval {INTERVAL_S} --timeout 1 --rise {RISE} --fall {FALL}"
                f" --disable {self._disabling(lab, node.name)} --ip {prefix} --no-ip-setup --withdraw-on-down"
                f" --no-syslog --next-hop {near_address} {prepend}--neighbor {far_address}; encoder text; }}\n"
            )
            neighbours.append(
                f"neighbor {far_address} {{ router-id {lab.topology.router_id(node.name)};"
                f" local-address {near_address}; local-as {asn}; peer-as {far.asn};"
                f" hold-time {lab.topology.timers.hold_time_s}; family {{ ipv4 unicast; }}"
                f" api {{ processes [ {watch} ]; }} }}\n"
            )
        return "".join(processes + neighbours)

    def _disabling(self, lab: NamespacesLab, pop: str) -> Path:
        return lab.wiring.folder(pop) / "disabled"

    def withdraw(self, lab: NamespacesLab, pop: str) -> None:
        """As its documentation has it: the file of `--disable` appears."""
        self._disabling(lab, pop).touch()
