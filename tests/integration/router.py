"""A router of the tests' own, on a socket beside the machine's."""

import contextlib
import json
import os
import pathlib
import shutil

import harness

SOCKET = "/run/router-test.sock"
HOST = f"unix://{SOCKET}"
UNIT = "router-test"
INSTALLED = pathlib.Path("/usr/lib/systemd/system/sockwake-router.service")
CONFIG = "/run/router-test.conf"


@contextlib.contextmanager
def running(config="", options="", engine_socket="/run/docker.sock"):
    """The router listens on SOCKET. Its service is the installed one, but root opens the system's engine: the socket of
    that is not moved."""
    options = f"--config={CONFIG} --engine-socket={engine_socket} --system-user=root --idle-timeout=1s {options}"
    service = INSTALLED.read_text().replace("/sockwake/router\n", f"/sockwake/router {options}\n")
    service = service.replace("sockwake-router.socket", f"{UNIT}.socket")
    service = service.replace("RuntimeDirectory=sockwake-router\n", f"RuntimeDirectory={UNIT}\n")
    write(f"/run/systemd/system/{UNIT}.service", service)
    write(f"/run/systemd/system/{UNIT}.socket", f"[Socket]\nListenStream={SOCKET}\nSocketMode=0666\nBacklog=4096\n")
    write(CONFIG, config)
    harness.run("systemctl", "daemon-reload")
    harness.run("systemctl", "start", f"{UNIT}.socket")
    try:
        yield
    finally:
        harness.run("systemctl", "stop", f"{UNIT}.socket", f"{UNIT}.service")
        for path in (f"/run/systemd/system/{UNIT}.service", f"/run/systemd/system/{UNIT}.socket", CONFIG, SOCKET):
            pathlib.Path(path).unlink(missing_ok=True)
        shutil.rmtree(f"/run/{UNIT}", ignore_errors=True)
        harness.run("systemctl", "daemon-reload")
        harness.run("systemctl", "reset-failed", f"{UNIT}.service", check=False)


def write(path, text):
    pathlib.Path(path).write_text(text)
    os.chmod(path, 0o644)


def docker(*argv, user="wake", **options):
    return harness.run("docker", "--host", HOST, *argv, user=user, **options)


def entries(since):
    """The router's journal entries, as dictionaries."""
    journal = harness.run("journalctl", "--output=json", "--identifier=sockwake-router", f"--since=@{since}").stdout
    return [json.loads(line) for line in journal.splitlines()]


def workers(uid):
    """The PIDs of this user's workers."""
    found = []
    for pid in pathlib.Path(f"/sys/fs/cgroup/system.slice/{UNIT}.service/user-{uid}").glob("cgroup.procs"):
        found += map(int, pid.read_text().split())
    return found
