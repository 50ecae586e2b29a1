"""Private chronyd instances for tests; they never touch a clock."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile

from lab.shell import TOOLS, exports


class NtpLab:
    """A folder of chronyd instances: a server that the clients of this lab follow, and clients."""

    def __init__(self) -> None:
        # short, since a Unix socket's address has 108 bytes
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ntpl-"))
        self._server_port: str | None = None
        self._addresses: dict[str, str] = {}

    def start(self, role: str, name: str | None = None, **options) -> str:
        """Starts one instance (options as ntp-start.sh has them); returns its command address."""
        command = [TOOLS / "ntp-start.sh", role, "--dir", self.folder, "--name", name or role]
        if role == "client":
            command += ["--server", self._server_port]
        for option, value in options.items():
            command += [f"--{option}", value]
        env = exports(command)
        self._server_port = env.get("NTP_SERVER_PORT", self._server_port)
        self._addresses[name or role] = env["CHRONY_ADDRESS"]
        return env["CHRONY_ADDRESS"]

    @property
    def server_port(self) -> str:
        """Where this lab's server answers NTP."""
        assert self._server_port is not None, "this lab has no server"
        return self._server_port

    def stop(self, name: str | None = None) -> None:
        """Stops one instance, or all of them, and removes the folder."""
        command = [TOOLS / "ntp-stop.sh", self.folder]
        if name is not None:
            command += ["--name", name]
        elif not any(self.folder.iterdir()):
            self.folder.rmdir()
            return
        subprocess.run(command, check=True, timeout=60)

    def restart(self, name: str, role: str, **options) -> str:
        """Starts a stopped instance again on its old command port."""
        port = self._addresses[name].rpartition(":")[2]
        return self.start(role, name, cmdport=port, **options)

    def pid(self, name: str) -> int:
        """The daemon's process."""
        return int((self.folder / name / "chronyd.pid").read_text())

    def freeze(self, name: str) -> None:
        """The daemon answers nothing until it is thawed."""
        os.kill(self.pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Undoes freeze."""
        os.kill(self.pid(name), signal.SIGCONT)


def silent_address() -> str:
    """host:port on loopback where nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
