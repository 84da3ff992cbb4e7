"""A real Alertmanager for tests, and who it wakes: a receiver that notes each notification and when it came."""

import shutil

BIN = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

PAGER = """
import http.server, sys, time
class Pager(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2], "ab") as file:
            file.write(b"%.3f %s\\n" % (time.time(), body.strip()))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Pager).serve_forever()
"""
"""Run by `python -c`: PORT FILE."""


def config(pager_port: int) -> str:
    """Give the configuration of an Alertmanager that pages at once, and groups by incident."""
    return (
        "route: {receiver: pager, group_by: [incident, severity], group_wait: 0s, group_interval: 1s,"
        " repeat_interval: 4h}\n"
        f"receivers: [{{name: pager, webhook_configs: [{{url: 'http://127.0.0.1:{pager_port}/',"
        " send_resolved: true}]}]\n"
    )


def arguments(config_file: str, data: str, address: str) -> tuple[str, ...]:
    """Give the command that runs it alone, without a cluster."""
    assert BIN is not None
    return (
        BIN, f"--config.file={config_file}", f"--storage.path={data}", f"--web.listen-address={address}",
        "--cluster.listen-address=", "--log.level=info",
    )  # fmt: skip
