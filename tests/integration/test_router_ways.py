"""The router: each caller is brought to an engine of the caller's own, which is started if need be, and to nobody else's."""

import contextlib
import errno
import fcntl
import json
import os
import pathlib
import pty
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time

import harness
import router
import servers

PING = b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"
HEAD = b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n"
PODMAN_FIRST = "engines = podman, docker\n"
OTHER = pwd.getpwnam("other").pw_uid

# Asks the socket in a container, whose image has no client for Unix sockets.
ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.settimeout(20)
    s.connect(sys.argv[1])
    s.sendall(b"GET /info HTTP/1.1\\r\\nHost: d\\r\\nConnection: close\\r\\n\\r\\n")
    data = b""
    while part := s.recv(65536):
        data += part
print(data.decode(errors="replace"))
"""


def without_session(user, *argv):
    """Runs a command as cron does."""
    identity = ("setpriv", f"--reuid={user}", "--regid=65534", "--clear-groups")
    return subprocess.run(
        [*identity, *argv], capture_output=True, text=True, check=False, timeout=60, env={"PATH": harness.PATH, "HOME": "/"}
    )


class RouterCase(harness.Case):
    scopes = (harness.USER_PODMAN,)
    timeout = 120
    config = PODMAN_FIRST
    options = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(router.running(cls.config, cls.options))

    def docker(self, *argv, user="wake", **options):
        return router.docker(*argv, user=user, **options)

    def refused(self, *argv, **options):
        """Runs docker, which fails; returns what it says."""
        result = self.docker(*argv, check=False, **options)
        self.assertNotEqual(result.returncode, 0, result.stdout)
        return result.stderr.strip()


class Ways(RouterCase):
    """Who gets where."""

    def run_as(self, user, name):
        if user != "root" and not harness.run("podman", "images", "--quiet", harness.BUSYBOX, user=user).stdout:
            harness.run("podman", "load", "--quiet", "--input", "/images/busybox.tar", user=user)
        network = "--network=host" if user == "root" else "--network=none"
        self.addCleanup(self.docker, "rm", "--force", name, user=user, check=False)
        self.docker("run", "--detach", "--name", name, network, *servers.STOP_AT_ONCE, harness.BUSYBOX, "sleep", "1000", user=user)

    def test_each_sees_only_what_is_his(self):
        users = ("root", "wake", "other")
        for user in users:
            self.run_as(user, f"of-{user}")
        for user in users:
            names = self.docker("ps", "--all", "--format={{.Names}}", user=user).stdout.split()
            self.assertIn(f"of-{user}", names)
            self.assertFalse({f"of-{other}" for other in users if other != user} & set(names), names)

    def test_who_has_no_account_is_told(self):
        for uid in ("65534", "123456"):
            for command in (("ps",), ("run", "--rm", harness.BUSYBOX, "true")):
                result = without_session(uid, "docker", "--host", router.HOST, *command)
                self.assertIn(f"uid {uid} is not the user of an account", result.stderr)

    def test_who_may_not_have_a_manager_is_told(self):
        result = without_session("daemon", "docker", "--host", router.HOST, "ps")
        self.assertIn("no services of daemon run: log in, or run 'sudo loginctl enable-linger daemon'", result.stderr)

    def test_a_refusal_is_an_answer_after_the_request(self):
        script = (
            "import socket; s = socket.socket(socket.AF_UNIX); s.connect('%s');"
            "s.sendall(b'HEAD /_ping HTTP/1.1\\r\\n'); s.settimeout(0.2);"
            "\ntry: print(s.recv(9))"
            "\nexcept TimeoutError: pass"
            "\ns.settimeout(20); s.sendall(b'Host: d\\r\\n\\r\\n' + 100000 * b'x')"
            "\nd = b''"
            "\nwhile p := s.recv(65536): d += p"
            "\nprint(d.decode())"
        ) % router.SOCKET
        answer = without_session("123456", "python3", "-c", script).stdout
        self.assertTrue(answer.startswith("HTTP/1.1 403 "), answer)
        self.assertNotIn("{", answer)

    def test_a_rootful_container_is_nobody_whatever_its_uid(self):
        volume = f"--volume={router.SOCKET}:{router.SOCKET}"
        python = ("/usr/bin/python3", "-c", ASK, router.SOCKET)
        options = ("--rm", "--network=none", volume, *servers.PYTHON)
        for more in (("--user=1000",), ("--user=0",), ("--user=1000", "--pid=host"),
                     ("--user=1000", "--cgroup-parent=user-1000.slice")):
            result = harness.run("docker", "run", *options, *more, harness.BUSYBOX, *python)
            self.assertIn("403 Forbidden", result.stdout, more)
            self.assertIn("a program in a container may not use this socket", result.stdout, more)

    def test_a_container_of_the_user_has_the_users_engine(self):
        volume = f"--volume={router.SOCKET}:{router.SOCKET}"
        python = ("/usr/bin/python3", "-c", ASK, router.SOCKET)
        options = ("--rm", "--network=none", volume, *servers.PYTHON)
        result = self.scope.engine_run("run", *options, harness.BUSYBOX, *python)
        self.assertIn("200 OK", result.stdout)
        self.assertIn("/home/wake/", result.stdout)
        result = self.scope.engine_run("run", *options, "--user=1000", harness.BUSYBOX, *python)
        self.assertIn("403 Forbidden", result.stdout)
        self.assertIn("subordinate = yes in /run/router-test.conf", result.stdout)
        self.assertNotIn("containers = NAME", result.stdout)

    def test_an_entry_tells_of_each_connection(self):
        self.docker("ps")
        [entry] = harness.eventually(
            lambda: [e for e in router.entries(self.started) if e.get("SOCKWAKE_UID") == str(self.scope.uid)]
        )
        self.assertEqual(entry["SOCKWAKE_COMMAND"], "docker")
        self.assertEqual(entry["SOCKWAKE_ENGINE"], "podman")
        self.assertRegex(entry["SOCKWAKE_REQUEST"], r"^GET /v[0-9.]+/containers/json$", "docker pings first")
        self.assertGreater(int(entry["SOCKWAKE_BYTES_OUT"]), 100)
        self.assertEqual(entry["SOCKWAKE_OUTCOME"], "")

    def test_nothing_runs_when_nobody_is_connected(self):
        self.docker("ps")
        harness.eventually(lambda: harness.SYSTEM_DOCKER.state(f"{router.UNIT}.service") == "inactive", timeout=20)
        self.docker("ps")

    def test_its_user_may_kill_a_worker(self):
        self.docker("ps")
        for pid in router.workers(self.scope.uid):  # an earlier one may be about to end
            self.scope.run("kill", "-KILL", str(pid), check=False)
        self.docker("ps")


    def test_a_traced_zombie_keeps_nobody_waiting(self):
        """Its tracer, which can only be root's, alone can see that it has ended."""
        self.docker("ps")
        pid = max(router.workers(self.scope.uid))  # an earlier one may be about to end
        script = (
            "import ctypes, os, signal, sys\n"
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "assert libc.ptrace(0x4206, %d, None, None) == 0\n"  # PTRACE_SEIZE
            "os.kill(%d, signal.SIGKILL); print('killed', flush=True); sys.stdin.read()\n"
        ) % (pid, pid)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with harness.spawn("python3", "-c", script, **pipes) as tracer:
            self.assertEqual(tracer.stdout.readline(), "killed\n")
            self.docker("ps", user="root", timeout=20)
            self.docker("ps", timeout=20)
            tracer.stdin.close()

    def test_a_user_namespace_made_in_a_rootful_container(self):
        """It is its user's, as that of a rootless container is, but the PID namespace is not."""
        volume = f"--volume={router.SOCKET}:{router.SOCKET}"
        options = ("--rm", "--network=none", volume, *servers.PYTHON, "--user=1000", "--security-opt=seccomp=unconfined")
        python = ("/usr/bin/unshare", "-r", "/usr/bin/python3", "-c", ASK, router.SOCKET)
        answer = harness.run(
            *("docker", "run", *options, "--cgroup-parent=user-1000.slice", harness.BUSYBOX, *python), check=False
        )
        self.assertNotIn("200 OK", answer.stdout)
        self.assertIn("403 Forbidden", answer.stdout, answer.stderr)

    def test_one_user_with_many_groups(self):
        """A worker for each set of groups, up to a limit; who has one already is served."""
        harness.eventually(lambda: not router.workers(self.scope.uid))
        script = (
            "import os, socket, sys\n"
            "answers, held = [], []\n"
            "for group in [*range(3000, 3017), 3000]:\n"
            "    read, write = os.pipe()\n"
            "    done = os.pipe()\n"
            "    if os.fork() == 0:\n"
            "        os.close(done[1])\n"
            "        os.setgroups([group]); os.setgid(%d); os.setuid(%d)\n"
            "        s = socket.socket(socket.AF_UNIX); s.connect('%s'); s.sendall(%r)\n"
            "        os.write(write, s.recv(12)); os.read(done[0], 1); os._exit(0)\n"
            "    os.close(write); os.close(done[0]); held.append(done[1])\n"
            "    answers.append(os.read(read, 12).decode())\n"
            "print(answers)\n"
        ) % (self.scope.uid, self.scope.uid, router.SOCKET, PING)
        answers = harness.run("python3", "-c", script).stdout
        ok, refused = "HTTP/1.1 200", "HTTP/1.1 429"
        self.assertEqual(answers.strip(), str([ok] * 16 + [refused, ok]))


class Changes(RouterCase):
    """The configuration while the router runs, with a client that does not go."""

    config = PODMAN_FIRST + "system = root\n"
    own = pathlib.Path("/home/wake/.config/sockwake/router.conf")

    def setUp(self):
        super().setUp()
        self.addCleanup(router.write, router.CONFIG, self.config)
        events = ("docker", "--host", router.HOST, "events")
        self.stays = self.enterContext(harness.spawn(*events, user="wake", stdout=subprocess.DEVNULL))
        self.addCleanup(self.stays.terminate)
        harness.eventually(lambda: router.workers(self.scope.uid))

    def root_of_engine(self):
        return self.docker("info", "--format={{.DockerRootDir}}", check=False).stdout

    def test_it_counts_for_who_comes_next(self):
        self.assertIn("/home/wake/", self.root_of_engine())
        router.write(router.CONFIG, self.config + "system = root, user wake\n")
        harness.eventually(lambda: "/var/lib/docker" in self.root_of_engine())
        router.write(router.CONFIG, "nonsense\n")

        def kept():
            self.assertIn("/var/lib/docker", self.root_of_engine())
            journal = harness.SYSTEM_DOCKER.unit_journal(router.UNIT, since=self.started)
            return "what was read before stays in force" in "\n".join(journal)

        harness.eventually(kept)
        router.write(router.CONFIG, self.config)
        harness.eventually(lambda: "/home/wake/" in self.root_of_engine())

    def test_a_router_that_starts_with_a_wrong_file_says_so(self):
        router.write(router.CONFIG, "engine = podman\n")
        self.stays.terminate()
        harness.run("systemctl", "restart", f"{router.UNIT}.service", timeout=30)
        self.assertIn(f"{router.CONFIG}:1: unknown key 'engine'", self.refused("ps"))
        self.docker("ps", user="root")
        router.write(router.CONFIG, self.config)
        self.docker("ps")

    def test_a_user_s_own_file(self):
        harness.run("mkdir", "-p", str(self.own.parent), user="wake")
        self.addCleanup(self.own.unlink, missing_ok=True)
        router.write(self.own, "engine = podman\n")
        self.assertIn(f"{self.own}:1: unknown key 'engine'", self.refused("ps"))
        self.own.unlink()
        self.docker("ps")


class Order(RouterCase):
    """Nobody has said one: the lab has a docker.service for users, which is not enabled, as podman.socket is."""

    config = ""

    def test_an_engine_that_is_enabled_comes_first(self):
        self.assertIn("/home/wake/.local/share/containers", self.docker("info", "--format={{.DockerRootDir}}").stdout)


class Subordinate(RouterCase):
    config = PODMAN_FIRST + "subordinate = yes\n"

    def test_any_user_in_the_users_own_container(self):
        volume = f"--volume={router.SOCKET}:{router.SOCKET}"
        options = ("--rm", "--network=none", "--user=1000", volume, *servers.PYTHON)
        python = ("/usr/bin/python3", "-c", ASK, router.SOCKET)
        answer = self.scope.engine_run("run", *options, harness.BUSYBOX, *python).stdout
        self.assertIn("200 OK", answer)
        self.assertIn("/home/wake/", answer)
        mine = "--cgroup-parent=user-1000.slice"
        answer = harness.run("docker", "run", *options, mine, harness.BUSYBOX, *python).stdout
        self.assertIn("403 Forbidden", answer)


class Streams(RouterCase):
    """Bytes pass as they are."""

    def setUp(self):
        super().setUp()
        self.docker("run", "--detach", "--name=c", "--network=none", *servers.STOP_AT_ONCE, harness.BUSYBOX, "sleep", "1000")
        self.addCleanup(self.docker, "rm", "--force", "c", check=False)

    def test_exec(self):
        for _ in range(100 if harness.THOROUGH else 20):
            self.assertEqual(self.docker("exec", "c", "echo", "hi").stdout, "hi\n")

    def test_output_after_the_end_of_input(self):
        script = "cat >/dev/null; sleep 1; echo done"
        self.assertEqual(self.docker("exec", "-i", "c", "sh", "-c", script, input="x").stdout, "done\n")
        self.assertEqual(self.docker("run", "--rm", "-i", "--network=none", harness.BUSYBOX, "cat", input="x").stdout, "x")

    def test_three_megabytes_there_and_back(self):
        data = os.urandom(3_000_000)
        argv = ["docker", "--host", router.HOST, "exec", "-i", "c", "cat"]
        with harness.spawn(*argv, user="wake", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            writer = threading.Thread(target=lambda: (process.stdin.buffer.write(data), process.stdin.close()))
            writer.start()
            self.assertEqual(process.stdout.buffer.read(), data)
            writer.join()

    def test_files_both_ways(self):
        path = pathlib.Path("/home/wake/router-cp")
        path.write_bytes(os.urandom(300_000))
        os.chmod(path, 0o644)
        self.addCleanup(path.unlink)
        back = pathlib.Path("/home/wake/router-back")
        self.addCleanup(back.unlink, missing_ok=True)
        self.docker("cp", str(path), "c:/tmp/file")
        self.docker("cp", "c:/tmp/file", str(back))
        self.assertEqual(back.read_bytes(), path.read_bytes())

    def test_an_image_both_ways(self):
        archive = "/home/wake/router.tar"
        self.addCleanup(pathlib.Path(archive).unlink, missing_ok=True)
        before = self.docker("images", "--quiet", harness.BUSYBOX).stdout
        self.docker("save", "--output", archive, harness.BUSYBOX)
        self.docker("load", "--input", archive)
        self.assertEqual(self.docker("images", "--quiet", harness.BUSYBOX).stdout, before)

    def test_a_stream_without_end_ends_with_its_client(self):
        self.await_quiet()
        argv = ["docker", "--host", router.HOST, "logs", "--follow", "c"]
        process = harness.spawn(*argv, user="wake", stdout=subprocess.DEVNULL)
        worker = harness.eventually(
            lambda: next((pid for pid in router.workers(self.scope.uid) if self.sockets(pid) >= 3), None)
        )
        streams = self.sockets(worker)
        process.kill()
        process.wait()
        began = time.monotonic()
        harness.eventually(lambda: self.sockets(worker) <= streams - 2)
        self.assertLess(time.monotonic() - began, 1)

    def await_quiet(self):
        """The connections of before have ended: the next one can be told from them."""
        harness.eventually(lambda: all(self.sockets(worker) < 3 for worker in router.workers(self.scope.uid)))

    @staticmethod
    def sockets(pid):
        return sum(what.startswith("socket:") for what, _ in harness.descriptors(pid).values())

    def test_a_build_gives_the_same_image(self):
        with tempfile.TemporaryDirectory(dir="/home/wake") as directory:
            os.chmod(directory, 0o755)
            pathlib.Path(directory, "file").write_text("x")
            pathlib.Path(directory, "Dockerfile").write_text(f"FROM {harness.BUSYBOX}\nCOPY file /file\n")
            layers = []
            for host in (router.HOST, "unix:///run/user/1000/podman/podman.sock"):
                argv = ("docker", "--host", host)
                build = ("env", "DOCKER_BUILDKIT=0", *argv, "build", "--no-cache", "--tag=localhost/routed", directory)
                harness.run(*build, user="wake")
                layers.append(harness.run(*argv, "inspect", "--format={{.RootFS.Layers}}", "localhost/routed", user="wake").stdout)
                harness.run(*argv, "rmi", "localhost/routed", user="wake")
        self.assertEqual(*layers)

    def test_a_terminal(self):
        script = "until [ \"$(stty size 2>/dev/null)\" = '33 77' ]; do sleep 0.1; done; read x; echo got $x"
        command = ("run", "--rm", "-it", "--network=none", harness.BUSYBOX, "sh", "-c", script)
        ours, theirs = pty.openpty()
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        pipes = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
        with harness.spawn("docker", "--host", router.HOST, *command, user="wake", **pipes) as process:
            os.close(theirs)
            os.write(ours, b"hello\n")
            seen = b""
            with contextlib.suppress(OSError):  # the end of a terminal
                while part := os.read(ours, 4096):
                    seen += part
            self.assertEqual(process.wait(), 0)
        os.close(ours)
        self.assertIn(b"got hello", seen)

    def test_a_stop_of_the_router_is_bounded(self):
        script = (
            "import socket\n"
            "s = socket.socket(socket.AF_UNIX); s.connect('%s')\n"
            "s.sendall(b'GET /containers/c/logs?follow=1&stdout=1 HTTP/1.1\\r\\nHost: d\\r\\n\\r\\n')\n"
            "try:\n"
            "    while s.recv(65536): pass\n"
            "except ConnectionResetError: pass\n"
        ) % router.SOCKET
        self.await_quiet()
        with harness.spawn("python3", "-c", script, user="wake") as client:
            harness.eventually(lambda: any(self.sockets(worker) >= 3 for worker in router.workers(self.scope.uid)))
            began = time.monotonic()
            harness.run("systemctl", "stop", f"{router.UNIT}.service")
            self.assertLess(time.monotonic() - began, 15)
            self.assertEqual(client.wait(timeout=10), 0)
        self.docker("ps")

    def test_the_sdk_for_python(self):
        script = (
            "import docker\n"
            "client = docker.from_env()\n"
            "print(client.containers.run('%s', ['echo', 'said'], network_mode='none', remove=True).decode(), end='')\n"
            "held = client.containers.run('%s', ['sleep', '1000'], network_mode='none', stop_signal='SIGKILL', detach=True)\n"
            "print(held.exec_run(['sh', '-c', 'echo executed']).output.decode(), end='')\n"
            "print(held.id in [c.id for c in client.containers.list()])\n"
            "held.remove(force=True)\n"
        ) % (harness.BUSYBOX, harness.BUSYBOX)
        said = self.scope.run("env", f"DOCKER_HOST={router.HOST}", "python3", "-c", script).stdout
        self.assertEqual(said.split(), ["said", "executed", "True"])

    def test_podman_as_a_client(self):
        argv = ("podman", "--remote", "--url", router.HOST, "ps", "--format={{.Names}}")
        self.assertIn("c", harness.run(*argv, user="wake").stdout.split())


if shutil.which("docker-compose"):  # of Debian 13

    class Compose(RouterCase):
        FILE = """
services:
  web:
    image: localhost/busybox
    command: sleep 1000
    network_mode: none
    stop_signal: KILL
"""

        def compose(self, *argv, user="wake"):
            with tempfile.TemporaryDirectory(dir=pwd.getpwnam(user).pw_dir) as directory:
                os.chmod(directory, 0o755)
                pathlib.Path(directory, "compose.yaml").write_text(self.FILE)
                command = ("env", f"DOCKER_HOST={router.HOST}", "docker-compose", "--project-name=routed")
                return harness.run(*command, "--project-directory", directory, *argv, user=user)

        def test_a_project(self):
            self.compose("up", "--detach")
            self.assertIn("routed-web-1", self.compose("ps").stdout)
            self.assertIn("routed-web-1", self.scope.engine_run("ps", "--format={{.Names}}").stdout)
            self.assertEqual(self.compose("exec", "-T", "web", "echo", "hi").stdout, "hi\n")
            self.compose("down")
            self.assertEqual(self.scope.engine_run("ps", "--all", "--quiet").stdout, "")


class Hostile(RouterCase):
    """What a user could plant."""

    path = pathlib.Path(f"/run/user/{OTHER}/docker.sock")
    config = "engines = docker\n"

    def setUp(self):
        super().setUp()
        self.addCleanup(self.path.unlink, missing_ok=True)
        unit = "/home/other/.config/systemd/user/docker.service"  # so that no engine of theirs starts
        harness.run("mkdir", "-p", os.path.dirname(unit), user="other")
        harness.run("ln", "-s", "/dev/null", unit, user="other")
        self.addCleanup(harness.run, "rm", unit)

    def ask(self):
        argv = ("curl", "-s", "--unix-socket", router.SOCKET, "http://d/info")
        return harness.run(*argv, user="other").stdout

    def test_a_link_to_roots_engine(self):
        harness.run("ln", "-s", "/run/docker.sock", str(self.path), user="other")
        self.assertIn("is behind a link or another mount: remove that", json.loads(self.ask())["message"])

    def test_a_link_to_the_router_itself(self):
        harness.run("ln", "-s", router.SOCKET, str(self.path), user="other")
        self.assertIn("is behind a link or another mount: remove that", json.loads(self.ask())["message"])

    def test_a_link_that_comes_and_goes(self):
        """Root's engine is never reached, at whatever moment the link is there."""
        flips = f"import os\nwhile True:\n    os.symlink('/run/docker.sock', '{self.path}')\n    os.unlink('{self.path}')\n"
        flipper = harness.spawn("python3", "-c", flips, user="other")
        try:
            script = (
                "import socket\n"
                "for _ in range(%d):\n"
                "    with socket.socket(socket.AF_UNIX) as s:\n"
                "        s.connect('%s')\n"
                "        s.sendall(b'GET /info HTTP/1.1\\r\\nHost: d\\r\\nConnection: close\\r\\n\\r\\n')\n"
                "        s.settimeout(60)\n"
                "        data = s.recv(65536)\n"
                "        assert b'/var/lib/docker' not in data, data\n"
            ) % (10000 if harness.THOROUGH else 500, router.SOCKET)
            harness.run("python3", "-c", script, user="other", timeout=100)
        finally:
            flipper.kill()
            flipper.wait()

    def test_another_users_engine(self):
        """Bound in as a mount, which is refused; a socket of another user cannot be linked into the directory."""
        self.path.touch()
        harness.run("mount", "--bind", "/run/user/1000/podman/podman.sock", str(self.path))
        self.addCleanup(harness.run, "umount", str(self.path))
        self.assertIn("is behind a link or another mount: remove that", json.loads(self.ask())["message"])

    def test_a_socket_that_is_roots(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            os.chmod(self.path, 0o666)
            listener.listen()
            self.assertIn("is the socket of another user (uid 0): remove it", json.loads(self.ask())["message"])


class Limits(RouterCase):
    config = PODMAN_FIRST + "connections-per-user = 4\n"

    def test_one_user_has_too_many(self):
        script = (
            "import socket, sys, time\n"
            "held = [socket.socket(socket.AF_UNIX) for _ in range(6)]\n"
            "for s in held:\n"
            "    s.connect('%s')\n"
            "print('connected', flush=True)\n"
            "sys.stdin.read()\n"
        ) % router.SOCKET
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with harness.spawn("python3", "-c", script, user="other", **pipes) as process:
            process.stdout.readline()
            message = self.refused("ps", user="other")
            self.assertIn("you have too many connections to this socket", message)
            self.docker("ps")
            process.stdin.close()
        self.docker("ps", user="other")

    def test_a_flood_by_who_is_refused(self):
        """The Docker client gives up at once where the socket's queue is full. So a connection more must take the dispatcher
        less time than whoever makes it: 5 µs of the processor's, where a refusal takes 17 and more."""
        script = (
            "import socket\n"
            "for n in range(40000):\n"
            "    with socket.socket(socket.AF_UNIX) as s:\n"
            "        s.connect('%s')\n"
        ) % router.SOCKET
        self.docker("ps", user="other")
        main = pathlib.Path(f"/proc/{harness.SYSTEM_DOCKER.property(f'{router.UNIT}.service', 'MainPID')}/stat")
        times = []
        for argv in (["true"], ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "python3", "-c", script]):
            harness.run(*argv)
            fields = main.read_text().rpartition(")")[2].split()
            times.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
        self.assertLess((times[1] - times[0]) / 40000, 11e-6)
        self.docker("ps", user="other")

    def test_a_flood_by_many_subordinate_users(self):
        """They are one user's; as accounts of their own they would leave none for others."""
        first = int(re.search(r"^wake:(\d+):", pathlib.Path("/etc/subuid").read_text(), re.M)[1])
        script = (
            "import os, socket, time\n"
            "for n in range(150):\n"
            "    if os.fork() == 0:\n"
            "        os.setuid(%d + n)\n"
            "        while True:\n"
            "            try:\n"
            "                with socket.socket(socket.AF_UNIX) as s:\n"
            "                    s.connect('%s')\n"
            "            except OSError:\n"
            "                pass\n"
            "            time.sleep(0.02)\n"
            "print('flows', flush=True)\n"
            "time.sleep(100)\n"
        ) % (first, router.SOCKET)
        with harness.spawn("python3", "-c", script, stdout=subprocess.PIPE, start_new_session=True) as flood:
            try:
                flood.stdout.readline()
                for _ in range(15):
                    self.docker("version", user="root")
            finally:
                os.killpg(flood.pid, signal.SIGKILL)

    def test_its_user_cannot_take_a_workers_channel(self):
        script = (
            "import ctypes, os, sys\n"
            "syscall = ctypes.CDLL(None, use_errno=True).syscall\n"
            "pidfd = os.pidfd_open(int(sys.argv[1]))\n"
            "print(*(syscall(438, pidfd, fd, 0) for fd in range(3, 8)), ctypes.get_errno())\n"
        )
        self.docker("ps", user="other")
        pid = harness.run("pgrep", "--uid=other", "--full", "worker identity").stdout.strip()
        taken = harness.run("python3", "-c", script, pid, user="other").stdout.split()
        self.assertEqual(taken, ["-1"] * 5 + [str(errno.EPERM)])

    def test_an_engine_that_hangs_keeps_its_own_user_waiting(self):
        """The engine is frozen with all its processes: Podman may have a second one, depending on what ran before it."""
        self.docker("ps", user="other")
        engine = [int(pid) for pid in harness.run("pgrep", "--uid=other", "--full", "podman.* system service").stdout.split()]
        try:
            for pid in engine:
                harness.freeze(pid)
            waiting = harness.spawn("docker", "--host", router.HOST, "ps", user="other", stdout=subprocess.DEVNULL)
            self.docker("ps")
            self.assertIsNone(waiting.poll())
        finally:
            for pid in engine:
                os.kill(pid, signal.SIGCONT)
        self.assertEqual(waiting.wait(timeout=30), 0)


    def test_a_directory_that_hangs(self):
        """A user may mount a file system of a process over the runtime directory, and stop that process."""
        with tempfile.TemporaryDirectory(dir="/tmp") as lower:
            shutil.chown(lower, "other")
            target = f"/run/user/{OTHER}"
            harness.run("fuse-overlayfs", "-o", f"lowerdir={lower}", target, user="other")
            self.addCleanup(harness.run, "umount", "--lazy", target)
            pid = int(harness.run("pgrep", "--uid=other", "--full", "fuse-overlayfs .*lowerdir").stdout)
            harness.freeze(pid)
            waiting = harness.spawn("docker", "--host", router.HOST, "ps", user="other", stderr=subprocess.DEVNULL)
            try:
                for _ in range(10):
                    self.docker("ps")
                self.assertIsNone(waiting.poll())
            finally:
                os.kill(pid, signal.SIGKILL)
            self.assertNotEqual(waiting.wait(timeout=30), 0)
        self.docker("ps")


class Wakes(RouterCase):
    """The user's manager and engine are started, and stopped again."""

    options = "--release-after=2s"

    def manager(self):
        return harness.SYSTEM_DOCKER.state(f"user@{OTHER}.service")

    def stop_manager(self):
        harness.run("systemctl", "stop", f"user@{OTHER}.service")
        self.addCleanup(harness.run, "systemctl", "start", f"user@{OTHER}.service")

    def ask(self):
        return without_session("other", "docker", "--host", router.HOST, "ps")

    def test_a_manager_for_who_lingers(self):
        self.stop_manager()
        result = self.ask()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.manager(), "active")
        harness.eventually(lambda: self.manager() in ("inactive", "failed"), timeout=30)

    def test_no_manager_for_who_does_not(self):
        linger = pathlib.Path("/var/lib/systemd/linger/other")
        self.stop_manager()
        linger.unlink()
        self.addCleanup(linger.touch)
        result = self.ask()
        self.assertIn("no services of other run: log in, or run 'sudo loginctl enable-linger other'", result.stderr)
        self.assertNotEqual(self.manager(), "active")


class Docker(RouterCase):
    """A rootless Docker."""

    config = "engines = docker, podman\n"
    options = "--release-after=1s"
    timeout = 180

    def test_it_is_started_and_stopped_again(self):
        harness.USER_DOCKER.prepare()
        self.scope.systemctl("stop", "docker.service")
        info = self.docker("info", "--format={{.SecurityOptions}}", timeout=90).stdout
        self.assertIn("rootless", info)
        self.docker("run", "--detach", "--name=rootless", "--network=none", *servers.STOP_AT_ONCE, harness.BUSYBOX, "sleep", "1000")
        self.addCleanup(self.docker, "rm", "--force", "rootless", check=False)
        time.sleep(3)  # longer than --release-after
        self.assertEqual(self.scope.state("docker.service"), "active", "a container of it runs")
        harness.run("systemctl", "restart", f"{router.UNIT}.service")  # the next router stops what this one has started
        self.assertEqual(self.scope.state("docker.service"), "active", "a container of it runs")
        harness.USER_DOCKER.engine_run("rm", "--force", "rootless")
        harness.eventually(lambda: self.scope.state("docker.service") == "inactive", timeout=40)

    def test_a_router_that_ends_stops_what_has_nothing_to_do(self):
        harness.USER_DOCKER.prepare()
        self.scope.systemctl("stop", "docker.service")
        self.docker("ps", timeout=90)
        harness.run("systemctl", "stop", f"{router.UNIT}.service")
        harness.eventually(lambda: self.scope.state("docker.service") == "inactive", timeout=40)
        self.assertEqual(pathlib.Path(f"/run/{router.UNIT}/started").read_text(), "")
