"""The router under rules: what a client may ask the system's engine for."""

import json
import pathlib
import urllib.parse

import harness
import router
import servers

RULES = """
[router]
system = root, user wake
engines = podman
containers = all
[rules]
label = team=ci
allow = containers.list containers.create containers.start containers.attach containers.wait containers.inspect
allow = containers.logs containers.exec containers.stop containers.kill containers.remove images.inspect
allow = system.info system.version
bind-read-only = /usr /usr/lib /usr/lib64
"""

# Asks for a path in a container.
ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.settimeout(20)
    s.connect(sys.argv[1])
    s.sendall(b"GET %s HTTP/1.1\\r\\nHost: d\\r\\nConnection: close\\r\\n\\r\\n" % sys.argv[2].encode())
    data = b""
    while part := s.recv(65536):
        data += part
print(data.decode(errors="replace"))
"""


def ask(path, body=None):
    """What the router answers `wake`: GET, or POST with this JSON."""
    data = () if body is None else ("-H", "Content-Type: application/json", "-d", json.dumps(body))
    return harness.run("curl", "-s", "--unix-socket", router.SOCKET, *data, f"http://d/{path}", user="wake").stdout


class RulesCase(harness.Case):
    """`wake` under rules; root without."""

    scopes = (harness.USER_PODMAN,)
    config = RULES

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(router.running(cls.config))

    def run_docker(self, name, *options, user="wake", command=("sleep", "1000"), **more):
        self.addCleanup(harness.run, "docker", "rm", "--force", name, check=False)
        argv = ("run", "--name", name, "--network=none", *servers.STOP_AT_ONCE, *options, harness.BUSYBOX, *command)
        return router.docker(*argv, user=user, **more)

    def refusal(self, *argv):
        result = router.docker(*argv, check=False)
        self.assertNotEqual(result.returncode, 0, result.stdout)
        return result.stderr

    def names(self):
        return set(router.docker("ps", "--all", "--format={{.Names}}").stdout.split())


class Rules(RulesCase):
    def test_what_is_allowed_works(self):
        self.assertEqual(self.run_docker("ruled-1", "--rm", command=("echo", "hi")).stdout, "hi\n")
        self.run_docker("ruled-2", "--detach")
        self.assertEqual(router.docker("exec", "ruled-2", "echo", "hi").stdout, "hi\n")
        script = "cat >/dev/null; sleep 1; echo done"
        self.assertEqual(router.docker("exec", "-i", "ruled-2", "sh", "-c", script, input="x").stdout, "done\n")
        router.docker("rm", "--force", "ruled-2")

    def test_only_what_carries_the_label_is_there(self):
        harness.run("docker", "create", "--name=of-root", harness.BUSYBOX, "true")
        self.addCleanup(harness.run, "docker", "rm", "of-root")
        self.run_docker("ruled-3", "--detach")
        self.assertEqual(self.names(), {"ruled-3"})
        label = harness.run("docker", "inspect", "--format={{index .Config.Labels \"team\"}}", "ruled-3").stdout
        self.assertEqual(label, "ci\n")
        self.assertIn("No such container", self.refusal("rm", "of-root"))
        self.assertIn("No such container", self.refusal("start", "of-root"))
        self.assertTrue(harness.run("docker", "inspect", "of-root").stdout)

    def test_what_would_be_a_way_out_is_refused(self):
        for option, key in (
            ("--privileged", "privileged = yes"),
            ("--volume=/:/host", "bind = /"),
            ("--volume=/usr:/usr", "bind = /usr"),
            ("--mount=type=bind,source=/etc,target=/host", "bind = /etc"),
            ("--pid=host", "pid = host"),
            ("--cap-add=SYS_ADMIN", "capability = "),
            ("--device=/dev/kmsg", "device = /dev/kmsg"),
            ("--security-opt=apparmor=unconfined", "security-option = "),
            ("--cgroup-parent=system.slice", "cgroup-parent = system.slice"),
            ("--restart=always", "restart = always"),
            ("--userns=host", "user-namespace = host"),
            ("--volumes-from=of-root", "volumes-from"),
        ):
            message = self.refusal("create", option, harness.BUSYBOX, "true")
            self.assertIn("not allowed here", message, option)
            self.assertIn(key, message, option)
        self.assertIn("network = host", self.refusal("create", "--network=host", harness.BUSYBOX, "true"))
        for argv in (("images",), ("volume", "ls"), ("pull", "x"), ("info", "--format={{json .Swarm}}")):
            if argv[0] != "info":
                self.assertIn("not allowed here", self.refusal(*argv), argv)
        self.assertEqual(self.names(), set())

    def test_a_volume_that_is_bound_is_a_bind(self):
        options = "type=volume,source=ruled,target=/v,volume-driver=local,volume-opt=type=none,volume-opt=o=bind"
        message = self.refusal("create", f"--mount={options},volume-opt=device=/etc", harness.BUSYBOX, "true")
        self.assertIn("not allowed here", message)

    def test_a_read_only_bind_is_one(self):
        mount = "--volume=/usr:/usr:ro"
        self.assertEqual(self.run_docker("ruled-4", "--rm", mount, command=("ls", "/usr/bin/docker")).returncode, 0)

    def test_a_container_that_was_handed_the_socket(self):
        """As root in it, which is not root."""
        volume = f"--volume={router.SOCKET}:{router.SOCKET}"
        options = ("--rm", "--network=none", volume, *servers.PYTHON)
        python = ("/usr/bin/python3", "-c", ASK, router.SOCKET)
        answer = harness.run("docker", "run", *options, harness.BUSYBOX, *python, "/containers/json?all=1").stdout
        self.assertIn("200 OK", answer)
        self.assertIn("[]", answer)
        answer = harness.run("docker", "run", *options, harness.BUSYBOX, *python, "/images/json").stdout
        self.assertIn("403 Forbidden", answer)

    def test_an_exec_instance_is_its_makers(self):
        self.run_docker("ruled-5", "--detach")
        made = ask("containers/ruled-5/exec", {"Cmd": ["true"]})
        python = ("/usr/bin/python3", "-c", ASK, router.SOCKET, f"/exec/{json.loads(made)['Id']}/json")
        options = ("--rm", "--network=none", f"--volume={router.SOCKET}:{router.SOCKET}", *servers.PYTHON)
        self.assertIn("404", harness.run("docker", "run", *options, harness.BUSYBOX, *python).stdout)
        self.assertIn("200", harness.run(*python, user="wake").stdout)

    def test_root_has_no_rules(self):
        self.assertIn("REPOSITORY", router.docker("images", user="root").stdout)

    def test_the_journal_tells_of_a_refusal(self):
        self.refusal("images")
        [entry] = harness.eventually(
            lambda: [e for e in router.entries(self.started) if "images/json" in e.get("SOCKWAKE_REQUEST", "")
                     or "images.list" in e.get("SOCKWAKE_OUTCOME", "")]
        )
        self.assertIn("not allowed here", entry["SOCKWAKE_OUTCOME"])

    def test_an_exec_instance_outlives_the_router(self):
        """The worker that knows its owner ends when it has been idle for a while."""
        self.run_docker("ruled-6", "--detach")
        made = json.loads(ask("containers/ruled-6/exec", {"Cmd": ["true"]}))["Id"]
        self.await_idle()
        self.assertEqual(ask(f"exec/{made}/start", {"Detach": True}), "")
        self.await_idle()
        self.assertEqual(json.loads(ask(f"exec/{made}/json"))["ID"], made)
        [owners] = pathlib.Path("/dev/shm").glob("sockwake-exec.*")
        self.assertEqual(owners.stat().st_mode & 0o777, 0o700)

    def await_idle(self):
        state = harness.SYSTEM_DOCKER.state
        harness.eventually(lambda: state(f"{router.UNIT}.service") == "inactive", timeout=20)


class Bypasses(RulesCase):
    """Ways around the rules that attackers found."""

    config = f"""
[router]
system = root, user wake
[rules]
label = team=ci
allow = {' '.join(f"containers.{action}" for action in (
    "list create start attach wait inspect top rename remove".split()))} images.commit images.tag images.inspect
"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.run("docker", "run", "--detach", "--name=of-root", "--network=none", "--env=PASSWORD=of-root",
                    *servers.STOP_AT_ONCE, harness.BUSYBOX, "sleep", "4242")
        cls.addClassCleanup(harness.run, "docker", "rm", "--force", "of-root", check=False)
        router.docker("run", "--detach", "--name=way", "--network=none", *servers.STOP_AT_ONCE, harness.BUSYBOX, "sleep", "1000")
        cls.addClassCleanup(harness.run, "docker", "rm", "--force", "way", "db", check=False)

    def test_top_shows_no_process_of_the_host(self):
        columns = "args:600,nice,nice,nice,pid"
        for words in (f"e -C sleep --sort=-start_time -o {columns}", "-o args,pid", "-C sleep", "axe"):
            answer = ask(f"containers/way/top?ps_args={urllib.parse.quote(words)}")
            self.assertIn("containers.top is refused here", answer, words)
        for words in ((), ("-o", "pid,comm"), ("-eo", "user,pid,args"), ("aux",), ("-ef",)):
            self.assertIn("sleep", router.docker("top", "way", *words).stdout, words)

    def test_a_commit_never_has_the_label(self):
        self.addCleanup(harness.run, "docker", "rmi", "--force", "way-1", check=False)
        for change in ("CMD echo \\", "ENV a b \\ ", "ONBUILD RUN <<'LABEL team='", "# escape=`"):
            self.assertIn("is refused here", self.refusal("commit", "--change", change, "way", "way-1"), change)
        options = ("--change=CMD sleep 5", "--change=ENV a=b", "--message=of, it", "--author=Me <a@b>")
        router.docker("commit", *options, "way", "way-1")
        image = json.loads(harness.run("docker", "image", "inspect", "way-1").stdout)[0]
        self.assertEqual((image["Config"]["Labels"], image["Config"]["Cmd"]), ({"team": ""}, ["/bin/sh", "-c", "sleep 5"]))

    def test_a_network_called_private_is_one(self):
        harness.run("docker", "network", "create", "private")
        self.addCleanup(harness.run, "docker", "network", "rm", "private")
        message = self.refusal("create", "--network=private", harness.BUSYBOX, "true")
        self.assertIn("network = private", message)

    def test_nothing_takes_the_place_of_an_id(self):
        identifier = harness.run("docker", "inspect", "--format={{.Id}}", "of-root").stdout.strip()
        for name in (identifier, identifier[:12], identifier[:4], identifier[:2]):
            message = self.refusal("create", f"--name={name}", harness.BUSYBOX, "true")
            self.assertIn("could be the beginning of an ID", message, name)
        self.assertIn("of an ID", self.refusal("rename", "way", identifier[:12]))
        self.assertIn("of an ID", self.refusal("tag", harness.BUSYBOX, identifier[:12]))
        router.docker("rename", "way", "db")
        router.docker("rename", "db", "way")

    def test_nothing_passes_for_what_sockwake_has_made(self):
        for options in (("--label=sockwake.made-for=x",), ("--label=sockwake.publish=80:80",), ("--name=x.replaced",)):
            self.assertIn("containers.create is refused here", self.refusal("create", *options, harness.BUSYBOX, "true"))
        self.assertIn("containers.rename is refused here", self.refusal("rename", "way", "x.discarded"))
        self.addCleanup(harness.run, "docker", "rmi", "--force", "way-2", check=False)
        router.docker("commit", "--change=LABEL sockwake.publish=80:80", "way", "way-2")
        self.assertIn("sockwake.publish", self.refusal("create", "way-2", "true"))

    def test_a_list_says_nothing_of_others(self):
        self.assertIn("No such container", self.refusal("ps", "--filter=since=of-root"))
        self.assertIn("way", router.docker("ps", "--filter=name=way", "--filter=status=running", "--size").stdout)


class BehindIsPodman(harness.Case):
    """The system's Podman under rules."""

    scopes = (harness.USER_PODMAN,)
    config = """
[router]
system = root, user wake
[rules]
label = team=ci
allow = images.build system.events volumes.create volumes.remove volumes.inspect containers.create
"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.run("systemctl", "start", "podman.socket")
        cls.enterClassContext(router.running(cls.config, engine_socket="/run/podman/podman.sock"))

    def test_a_build_is_refused(self):
        """It can read each file of the host."""
        self.assertIn("read each file of the host", ask("build?t=x", {}))

    def test_events_are_those_of_own_objects(self):
        """Podman would take the first key for one more label."""
        for key in ("label=secret", "Label", "label=team"):
            filters = urllib.parse.quote(json.dumps({key: ["1"]}))
            self.assertIn("is not the name of a filter", ask(f"events?until=1&filters={filters}"))
        self.assertEqual(ask("events?since=1&until=2"), "")

    def test_no_volume_of_a_longer_name_is_removed(self):
        self.addCleanup(harness.run, "podman", "volume", "rm", "ruled", "ruled_other", check=False)
        ask("volumes/create", {"Name": "ruled"})
        harness.run("podman", "volume", "create", "ruled_other")
        remove = ("curl", "-s", "--unix-socket", router.SOCKET, "-X", "DELETE", "http://d/volumes/ruled")
        self.assertIn("might remove that", harness.run(*remove, user="wake").stdout)
        harness.run("podman", "volume", "rm", "ruled_other")
        self.assertEqual(harness.run(*remove, user="wake").stdout, "")

    def test_a_tmpfs_is_one(self):
        body = {"Image": harness.BUSYBOX, "HostConfig": {"Tmpfs": {"/x": "bind"}}}
        self.assertIn("not options of a tmpfs", ask("containers/create", body))
        options = {"type": "tmpfs", "o": "bind", "device": "tmpfs"}
        self.assertIn("volume-options = yes", ask("volumes/create", {"Name": "ruled-t", "DriverOpts": options}))


class Learning(RulesCase):
    config = "[router]\nsystem = root, user wake\nlearn = yes\n[rules]\nallow = system.ping\n"

    def test_what_a_client_needs_is_printed(self):
        self.run_docker("learned", "--rm", "--volume=/usr:/host:ro", command=("true",))
        needed = ("allow = containers.create", "allow = containers.start", "allow = containers.wait", "bind-read-only = /usr")

        def learned():  # each connection prints what it needed when it ends
            journal = "\n".join(harness.SYSTEM_DOCKER.unit_journal(router.UNIT, since=self.started))
            return all(f"learned: {line}" in journal for line in needed)

        harness.eventually(learned)


class Named(RulesCase):
    """Containers without rules, by name."""

    config = "[router]\ncontainers = handed\n"

    def test_the_container_that_is_named_has_the_engine(self):
        options = ("--rm", "--network=none", f"--volume={router.SOCKET}:{router.SOCKET}", *servers.PYTHON)
        python = ("/usr/bin/python3", "-c", ASK, router.SOCKET, "/images/json")
        answer = harness.run("docker", "run", "--name=handed", *options, harness.BUSYBOX, *python).stdout
        self.assertIn("200 OK", answer)
        answer = harness.run("docker", "run", "--name=planted", *options, harness.BUSYBOX, *python).stdout
        self.assertIn("403 Forbidden", answer)
        self.assertIn("the container 'planted' may not use this socket", answer)
        self.assertIn("containers = planted", answer)

    def test_a_control_group_of_its_name_proves_nothing(self):
        """Users name control groups below their own as they like."""
        self.addCleanup(harness.run, "docker", "rm", "--force", "handed")
        create = ("docker", "run", "--detach", "--name=handed", *servers.STOP_AT_ONCE, harness.BUSYBOX, "sleep", "1000")
        identifier = harness.run(*create).stdout.strip()
        argv = ("systemd-run", "--user", "--quiet", "--scope", f"--unit=docker-{identifier}")
        argv = (*argv, "curl", "-s", "--unix-socket", router.SOCKET, "http://d/info")
        self.assertIn("a program in a container may not use this socket", self.scope.run(*argv).stdout)
