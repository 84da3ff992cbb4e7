"""PoPs whose agents are led by a controller: an equipment of the namespaces lab.

The controller has a namespace of its own, with a wire to each PoP that no client's traffic takes. The lab has its own
certificate authority. What the controller keeps is in a database of the lab's folder.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from anycastle.io.clock import now
from anycastle.io.config.write import write_fleet
from anycastle.io.local_socket import ask
from anycastle.io.pki.authority import Authority, create
from anycastle.lab.namespaces import AgentOnBird, NamespacesLab
from anycastle.lab.netns import Namespace, join
from anycastle.model.identity import Role
from anycastle.model.notify import NotifyPlan

CONTROLLERS: Final = ("ctl",)
PORT: Final = 9479
_ASK_S: Final = 60.0


class ControlledAgents(AgentOnBird):
    """BIRD, and an agent that dials the controllers; these are started with the first PoP.

    `store` is the database of all controllers; by default one in the lab's folder, which suits one controller.
    `vrps` is a validator's export, by which they check what they roll out. `notify` is who they tell of incidents;
    without it they open none.
    """

    def __init__(
        self,
        controllers: tuple[str, ...] = CONTROLLERS,
        store: str | None = None,
        vrps: Path | None = None,
        notify: NotifyPlan | None = None,
    ) -> None:
        self.controllers = controllers
        self._store = store
        self._vrps = vrps
        self._notify = notify
        self._authority: Authority | None = None
        self._wires = 0

    # -- what the lab asks ------------------------------------------------------------------------------------------

    def start_agent(self, lab: NamespacesLab, pop: str) -> None:
        """Start the agent alone; its wires and its certificate are made the first time."""
        if self._authority is None:
            self._begin(lab)
        if not (self._shown(lab) / f"{pop}.pem").exists():
            for controller in self.controllers:
                self._wire(lab, controller, pop)
            assert self._authority is not None
            self._authority.issue(Role.POP, pop, self._shown(lab), now().wall)
        dialled = [word for each in self.controllers for word in ("--controller", self.address(each))]
        shown = ("--authorities", lab.run_dir / "pki/bundle.pem", "--certificate", self._shown(lab) / f"{pop}.pem")
        self._spawn_agent(lab, pop, *dialled, *map(str, shown))

    # -- controllers --------------------------------------------------------------------------------------------------

    def address(self, controller: str) -> str:
        """Give where a controller is dialled."""
        return f"100.127.255.{1 + self.controllers.index(controller)}:{PORT}"

    def start_controller(self, lab: NamespacesLab, controller: str) -> None:
        """Start a controller, also anew."""
        store = self._store or f"sqlite:///{lab.run_dir}/controller.db"
        certificate = self._shown(lab) / f"{controller}.pem"
        options = {
            "--store": store,
            "--listen": f"0.0.0.0:{PORT}",
            "--address": self.address(controller),
            "--authorities": lab.run_dir / "pki/bundle.pem",
            "--certificate": certificate,
            "--run-dir": self.run_dir(lab, controller),
            **({} if self._vrps is None else {"--vrps": self._vrps}),
        }
        if self._notify is not None:
            write_fleet(replace(lab.fleet, notify=self._notify), lab.wiring.folder(controller) / "fleet")
            options["--fleet"] = lab.wiring.folder(controller) / "fleet"
        words = [str(word) for option in options.items() for word in option]
        lab.spawn_anycastle(f"controller-{controller}", controller, "controller", "run", *words)

    def run_dir(self, lab: NamespacesLab, controller: str) -> Path:
        """Give where a controller's socket is."""
        return lab.wiring.folder(controller) / "run"

    def ask(self, lab: NamespacesLab, controller: str, request: dict[str, Any]) -> dict[str, Any]:
        """Give a controller's answer. Raises `WorldError`, with its words where it refuses."""
        return ask(self.run_dir(lab, controller) / "controller.sock", request, _ASK_S, of="the controller")

    # -- how ----------------------------------------------------------------------------------------------------------

    def _begin(self, lab: NamespacesLab) -> None:
        self._authority = create(lab.run_dir / "pki", lab.fleet.name, now().wall)
        for controller in self.controllers:
            lab.add_namespace(controller)
            host = self.address(controller).partition(":")[0]
            lab.namespace(controller).batch(f"addr add {host}/32 dev lo")
            self._authority.issue(Role.CONTROLLER, controller, self._shown(lab), now().wall, hosts=(host,))
            self.start_controller(lab, controller)

    def _shown(self, lab: NamespacesLab) -> Path:
        return lab.run_dir / "shown"

    def _wire(self, lab: NamespacesLab, controller: str, pop: str) -> None:
        """Join a PoP with a controller: a /30 of 100.64.0.0/16 for each wire."""
        ours, far = lab.namespace(controller), lab.namespace(pop)
        join(ours, f"to-{pop}"[:15], far, f"to-{controller}"[:15])
        base = 4 * self._wires
        self._wires += 1
        near, there = (f"100.64.{(base + end) // 256}.{(base + end) % 256}" for end in (1, 2))
        host = self.address(controller).partition(":")[0]
        _up(ours, f"to-{pop}"[:15], f"{near}/30")
        _up(far, f"to-{controller}"[:15], f"{there}/30")
        far.run("ip", "route", "add", f"{host}/32", "via", near)


def _up(namespace: Namespace, interface: str, address: str) -> None:
    namespace.batch(f"addr add {address} dev {interface}", f"link set {interface} up")
