"""A real ``partway serve`` in a process of its own, for tests, benchmarks and examples."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

_START_SECONDS = 60.0


class RunningServer:
    """A server process that can be killed and started again on the same data and port.

    Args:
        data_dir: its data folder.
        environment: more variables for it, such as ``PARTWAY_HTTP_SERVER`` or ``PARTWAY_FAULT``.
        tls: it serves https with a certificate of its own making, which ``cacert`` names.
    """

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None, *, tls: bool = False) -> None:
        self.data_dir = data_dir
        self.api_key = "test-key-0123456789"
        self.environment = dict(environment or {})
        self.port = _free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.cacert = data_dir / "tls" / "cert.pem" if tls else None
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data_dir.parent / f"{data_dir.name}.log"

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it is ready.

        Args:
            environment: instead of the one it was made with.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PARTWAY_")}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "partway", "serve", "--port", str(self.port), "--data", str(self.data_dir)],
                env={
                    **inherited,
                    "PARTWAY_API_KEY": self.api_key,
                    **({"PARTWAY_TLS_SELF_SIGNED": "true"} if self.cacert else {}),
                    **(self.environment if environment is None else environment),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with (
                contextlib.suppress(urllib.error.URLError, OSError),
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5, context=self.trust()),
            ):
                return
            time.sleep(0.02)
        raise RuntimeError(f"the server did not start:\n{self.output()}")

    def trust(self) -> ssl.SSLContext | None:
        """What a client needs to trust it; None without TLS.

        Raises:
            OSError: it has made no certificate yet.
        """
        return ssl.create_default_context(cafile=self.cacert) if self.cacert else None

    def output(self) -> str:
        """Everything it has printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """SIGKILL it and wait for its end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """Stop it as Ctrl-C would; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)

    def restart(self, environment: Mapping[str, str] | None = None) -> None:
        """Kill it, if it still runs, and start it again."""
        self.kill()
        self.start(environment)

    def wait_for_end(self, seconds: float = 60.0) -> int:
        """Wait until it ends by itself (at a fault point, for example); its exit code."""
        assert self.process is not None
        return self.process.wait(timeout=seconds)


@contextlib.contextmanager
def running_server(
    data_dir: Path | None = None, environment: Mapping[str, str] | None = None, *, tls: bool = False
) -> Iterator[RunningServer]:
    """Run a server for the length of a block; without ``data_dir`` on a folder that vanishes with it."""
    with contextlib.ExitStack() as stack:
        if data_dir is None:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="partway-"))) / "data"
        server = RunningServer(data_dir, environment, tls=tls)
        stack.callback(server.kill)
        server.start()
        yield server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
