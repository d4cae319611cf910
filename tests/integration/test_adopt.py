"""`adopt`: containers that carry their own wake rules as labels."""

import json
import os

import harness

PORT = 7700
HAS_QUADLET = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")


class AdoptCase(harness.Case):
    scopes = (harness.SYSTEM_DOCKER, harness.SYSTEM_PODMAN, harness.USER_PODMAN)
    timeout = 120

    def setUp(self):
        super().setUp()
        if self.scope.engine == "podman":
            self.scope.systemctl("start", "podman.socket")

    def labelled(self, name, /, *command, **labels):
        """A container with the labels sockwake.KEY=VALUE; "_" stands for "-"."""
        words = [f"--label=sockwake.{key.replace('_', '-')}={value}" for key, value in labels.items()]
        self.scope.container(name, *(command or ("serve", "nginx")), options=("--network=none", *words))

    def adopt(self, *arguments, **options):
        return self.scope.sockwake("adopt", "--backend", self.scope.engine, *arguments, **options)

    def refused(self, *arguments):
        result = self.adopt(*arguments, check=False)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        return result.stderr

    def instances(self):
        return {one["name"]: one for one in json.loads(self.scope.sockwake("list", "--json").stdout)}

    def unit(self, name, kind="socket"):
        return f"{self.scope.unit_directory}/{name}.{kind}"


class Adopt(AdoptCase):
    any_release = harness.ROOTS_PODMAN

    def test_labels_become_instances(self):
        self.labelled("web", publish=f"{PORT}:80", idle_timeout="1s")
        self.labelled("cache", "serve", "redis", publish=f"127.0.0.1:{PORT + 1}:6379, {PORT + 2}:6379", name="redis")
        self.scope.container("other", "serve", "nginx", options=("--network=none",))
        self.adopt("--all")
        self.assertEqual(sorted(self.instances()), ["redis", "web"])
        self.assertIn("nginx", harness.http(PORT))
        self.assertEqual(harness.redis(PORT + 1, "ping"), "PONG")
        self.assertEqual(harness.redis(PORT + 2, "ping"), "PONG")
        self.scope.fall_asleep("web")
        self.assertEqual(self.instances()["redis"]["health_check"], "redis")

    def test_units_of_another_version_are_written_anew(self):
        self.labelled("cache", "serve", "redis", publish=f"{PORT}:6379")
        created = f"Created 'cache' for the container 'cache': listens on {PORT}:6379\n"
        self.assertEqual(self.adopt("cache").stdout, created)
        self.assertEqual(self.adopt("cache").stdout, "Unchanged 'cache' for the container 'cache'\n")
        with open(self.unit("cache", "service"), encoding="utf-8") as file:
            text = file.read()
        with harness.connect(PORT) as connection:
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
            self.scope.run("tee", self.unit("cache", "service"), input=text.replace("LimitNOFILE=", "LimitCORE="))
            self.assertEqual(self.adopt("--all", "--dry-run").stdout, "Would refresh 'cache' for the container 'cache'\n")
            self.assertEqual(self.adopt("--all").stdout, "Refreshed 'cache' for the container 'cache'\n")
            connection.sendall(b"PING\r\n")
            self.assertEqual(connection.recv(64), b"+PONG\r\n")
        with open(self.unit("cache", "service"), encoding="utf-8") as file:
            self.assertEqual(file.read(), text)
        self.assertEqual(self.adopt("cache").stdout, "Unchanged 'cache' for the container 'cache'\n")

    def test_one_container_by_its_name(self):
        self.labelled("web", publish=f"{PORT}:80")
        self.labelled("cache", publish=f"{PORT + 1}:6379")
        self.adopt("web")
        self.assertEqual(list(self.instances()), ["web"])
        nobody = self.refused("nobody")
        self.assertIn("there is no container", nobody)
        self.assertEqual("daemon-reload" in nobody, self.scope.engine == "podman")
        self.scope.container("plain", options=("--network=none",))
        self.assertIn("sockwake.publish", self.refused("plain"))

    def test_what_has_not_changed_is_not_touched(self):
        self.labelled("web", publish=f"{PORT}:80")
        self.adopt("--all")
        harness.http(PORT)
        before = os.stat(self.unit("web")).st_ino, self.scope.property("web.service", "MainPID")
        self.assertIn("Unchanged 'web'", self.adopt("--all").stdout)
        self.assertEqual((os.stat(self.unit("web")).st_ino, self.scope.property("web.service", "MainPID")), before)

    def test_a_container_that_was_made_anew_keeps_working(self):
        self.labelled("web", publish=f"{PORT}:80")
        self.adopt("--all")
        harness.http(PORT)
        for _ in range(2):
            self.scope.engine_run("rm", "--force", "web")
            self.labelled("web", publish=f"{PORT}:80")
            harness.eventually(lambda: "nginx" in harness.http(PORT))
        self.assertIn("Unchanged", self.adopt("--all").stdout)

    def test_labels_that_changed_are_followed(self):
        self.labelled("web", publish=f"{PORT}:80")
        self.adopt("--all")
        harness.http(PORT)
        self.scope.engine_run("rm", "--force", "web")
        self.labelled("web", publish=f"{PORT + 1}:80", idle_timeout="7min")
        self.assertIn("Replaced 'web'", self.adopt("--all").stdout)
        self.assertIn("nginx", harness.http(PORT + 1))
        self.assertEqual(self.instances()["web"]["idle_timeout"], "7min")
        with self.assertRaises(ConnectionRefusedError):
            harness.connect(PORT)

    def test_another_name_is_followed(self):
        self.labelled("web", publish=f"{PORT}:80")
        self.adopt("--all")
        self.scope.engine_run("rm", "web")
        self.labelled("web", publish=f"{PORT}:80", name="site")
        self.adopt("--all")
        self.assertEqual(list(self.instances()), ["site"])
        self.assertIn("nginx", harness.http(PORT))

    def test_a_name_that_cannot_be_followed_leaves_the_old_one(self):
        self.labelled("web", publish=f"{PORT}:80")
        self.adopt("--all")
        self.scope.engine_run("rm", "web")
        self.labelled("web", publish=f"{PORT}:80,{PORT + 1}:80", name="site")
        with harness.socket.create_server(("127.0.0.1", PORT + 1)):
            self.assertIn("in use", self.refused("--all"))
        self.assertEqual(list(self.instances()), ["web"])
        self.assertIn("nginx", harness.http(PORT))

    def test_prune_removes_what_lost_its_container(self):
        for number, name in enumerate(("kept", "gone", "unlabelled")):
            self.labelled(name, publish=f"{PORT + number}:80")
        self.scope.container("byhand", "serve", "nginx", options=("--network=none",))
        self.adopt("--all")
        self.scope.instance("byhand", PORT + 9, 80, "--backend", self.scope.engine)
        self.scope.engine_run("rm", "gone", "unlabelled", "byhand")
        self.scope.container("unlabelled", "serve", "nginx", options=("--network=none",))
        self.assertEqual(len(self.instances()), 4)
        self.adopt("--all")
        self.assertEqual(len(self.instances()), 4)
        self.assertIn("Would remove 'gone'", self.adopt("--prune", "--dry-run").stdout)
        self.assertEqual(len(self.instances()), 4)
        self.scope.engine_run("start", "unlabelled")
        self.adopt("--prune")
        self.assertEqual(sorted(self.instances()), ["byhand", "kept"])
        self.assertEqual(self.scope.container_state("unlabelled"), "running")  # it is nobody's now
        self.assertFalse(os.path.exists(self.unit("gone", "service")))
        self.scope.engine_run("rm", "kept")
        self.assertIn("there is nothing to adopt", self.adopt("--all").stderr)

    def test_an_instance_made_by_hand_is_not_replaced(self):
        self.labelled("web", publish=f"{PORT}:80")
        self.scope.instance("web", PORT + 1, 80, "--backend", self.scope.engine)
        self.assertIn("was not adopted", self.refused("--all"))
        self.assertIn("nginx", harness.http(PORT + 1))

    def test_one_that_is_refused_does_not_keep_the_others(self):
        self.labelled("bad", publish="nonsense")
        self.labelled("good", publish=f"{PORT}:80")
        self.labelled("taken", publish=f"{PORT}:80")
        complaint = self.refused("--all")
        self.assertIn("'bad', label 'sockwake.publish'", complaint)
        self.assertEqual(len(self.instances()), 1)
        self.assertIn("listens there already", complaint)

    def test_dry_run_changes_nothing(self):
        self.labelled("web", publish=f"{PORT}:80")
        self.assertIn("Would create 'web'", self.adopt("--all", "--dry-run").stdout)
        self.assertEqual(self.instances(), {})

    def both(self, *arguments):
        """What a dry run says, and then the real one: the same, but for the tense."""
        said = []
        for options in (("--dry-run",), ()):
            result = self.adopt(*arguments, *options, check=False)
            said.append((result.returncode, sorted(result.stdout.splitlines()), result.stderr))
        words = {"Would create": "Created", "Would replace": "Replaced", "Would remove": "Removed"}
        planned = list(said[0][1])
        for would, did in words.items():
            planned = [line.replace(would, did, 1) for line in planned]
        self.assertEqual((said[0][0], sorted(planned), said[0][2]), said[1])
        return "\n".join(said[1][1]), said[1][2]

    def test_a_dry_run_acts_as_the_real_one(self):
        self.scope.container("db", "serve", "redis", options=("--network=none",))
        self.scope.engine_run("start", "db")
        self.labelled("web", publish=f"127.0.0.1:{PORT}:80, {PORT + 1}:80", **{"with": "db:6379"})
        self.labelled("xsame", publish=f"{PORT}:80")
        self.labelled("taken", publish=f"{PORT + 5}:80")
        self.labelled("one", publish=f"{PORT + 2}:80", name="site")
        self.labelled("other", publish=f"{PORT + 3}:80", name="site")
        self.labelled("dbus", publish=f"{PORT + 4}:80")
        self.labelled("alone", publish=f"{PORT + 6}:80", **{"with": "nobody"})
        with harness.socket.create_server(("127.0.0.1", PORT + 5)):
            done, complaints = self.both("--all")
        for text in (f"web' for the container 'web': listens on 127.0.0.1:{PORT}:80, {PORT + 1}:80; first wakes db:6379 (redis)",
                     f"site' for the container 'one': listens on {PORT + 2}:80"):
            self.assertIn(text, done)
        for text in ("listens there already", f"TCP port {PORT + 5} is in use by", "knows a unit 'dbus.",
                     "ask for one instance 'site'", "sockwake.name dbus-wake", "no container 'nobody'",
                     f"'db' runs, and only a label names it: it stays up until somebody stops it once, as with "
                     f"'{self.scope.engine} stop db'"):
            self.assertIn(text, complaints)
        self.assertEqual(sorted(self.instances()), ["site", "web"])

        # Ports become free: by an instance that is pruned, replaced or renamed.
        self.scope.engine_run("rm", "one", "xsame", "taken", "dbus", "alone", "other", "web")
        self.labelled("heir", publish=f"{PORT + 2}:80")  # of 'site', which has no container any more
        self.labelled("web", publish=f"{PORT + 7}:80")
        self.labelled("second", publish=f"{PORT}:80")  # which 'web' gives up
        self.both("--all", "--prune")
        self.both("--all", "--prune")
        self.assertEqual(sorted(self.instances()), ["heir", "second", "web"])
        self.scope.engine_run("rm", "web")
        self.labelled("web", publish=f"{PORT + 7}:80", name="renamed")
        self.assertIn("Removed 'web', which that one replaces", self.both("--all")[0])
        self.assertEqual(sorted(self.instances()), ["heir", "renamed", "second"])

    def test_ports_that_go_round(self):
        """One takes what another one gives up, and two exchange what they have."""
        for name, port in (("sa", 0), ("sb", 1), ("sc", 2), ("sd", 3)):
            self.labelled(name, publish=f"{PORT + port}:80")
        self.adopt("--all")
        self.scope.engine_run("rm", "sa", "sb", "sc", "sd")
        for name, port in (("sa", 1), ("sb", 0), ("sc", 3), ("sd", 4)):
            self.labelled(name, publish=f"{PORT + port}:80")
        done, complaints = self.both("--all")
        self.assertEqual(complaints, "")
        for name, port in (("sa", 1), ("sb", 0), ("sc", 3), ("sd", 4)):
            self.assertIn(f"Replaced '{name}' for the container '{name}': listens on {PORT + port}:80", done)
        self.assertEqual({one["listen_port"] for one in self.instances().values()}, {PORT + n for n in (0, 1, 3, 4)})
        self.assertIn("nginx", harness.http(PORT + 1))

    def test_a_name_that_no_instance_can_have(self):
        self.labelled("shop.web", publish=f"{PORT}:80")
        told = self.adopt("shop.web").stderr
        self.assertIn("'shop.web' is called 'shop-web'", told)
        self.assertIn("'sockwake.name'", told)
        self.assertIn("nginx", harness.http(PORT))
        self.assertIn("Unchanged 'shop-web'", self.adopt("--all").stdout)

    def test_hostile_labels_reach_no_unit(self):
        hostile = {
            "publish": (f"{PORT}:80\nExecStart=/bin/touch /tmp/pwned", f"{PORT}:80%n", f"/etc/cron.d/x:{PORT}", ""),
            "idle-timeout": ("1min\nExecStart=/x", "$HOME", '1min" "x'),
            "health-check": ("touch /tmp/pwned", "http:/x\ny", "listen\x1b[2J"),
            "name": ("../../x", "x.service", "web\n[Service]", "web --force"),
            "target": ("unix:/../x", "$x", "127.0.0.1\n"),
            "unit": ("sshd.service",),
            "engine-socket": ("/tmp/x",),
            "user": ("root",),
            "no-such": ("x",),
            "idle-time\x1bout": ("x",),
        }
        pairs = [(key, value) for key, values in hostile.items() for value in values]
        for number, (key, value) in enumerate(pairs):
            words = [f"--label=sockwake.{key}={value}"]
            if key != "publish":
                words.append(f"--label=sockwake.publish={PORT}:80")
            self.scope.container(f"evil{number}", "sh", image=harness.BUSYBOX, options=("--network=none", *words))
        complaints = self.refused("--all").splitlines()
        self.assertEqual(len(complaints), len(pairs) + 1)
        for number, (key, _value) in enumerate(pairs):
            label = f"sockwake.{key}".replace("\x1b", "?")
            [complaint] = [line for line in complaints if f"the container 'evil{number}', label '{label}'" in line]
            self.assertTrue(complaint.isprintable(), complaint)
        self.assertEqual(self.instances(), {})
        self.assertFalse(os.path.exists("/tmp/pwned"))

    def test_a_label_does_not_give_power_over_units(self):
        self.scope.container("evil", "serve", "nginx", options=(
            "--network=none", f"--label=sockwake.publish={PORT}:80", "--label=PODMAN_SYSTEMD_UNIT=dbus.service"))
        self.assertIn("PODMAN_SYSTEMD_UNIT", self.refused("evil"))
        create = ("create", "evil", "--backend", self.scope.engine, "-p", f"{PORT}:80")
        result = self.scope.sockwake(*create, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("PODMAN_SYSTEMD_UNIT", result.stderr)
        self.assertEqual(self.instances(), {})
        # A person who names the unit gets only a note on the mismatch.
        self.scope.sockwake(*create, "--unit", "dbus.service")
        self.assertEqual(self.instances()["evil"]["unit"], "dbus.service")
        # And it stays theirs: a unit that does not run the instance's container is not stopped with it.
        before = self.scope.property("dbus.service", "MainPID")
        self.scope.sockwake("sleep", "evil")
        self.scope.sockwake("remove", "evil")
        self.assertEqual(self.scope.property("dbus.service", "MainPID"), before)

    def test_a_label_of_a_unit_that_runs_nothing(self):
        """Such a container is the engine's; but a unit that cannot be read may run it."""
        self.scope.systemctl("mask", "masked.service")
        self.addCleanup(self.scope.systemctl, "unmask", "masked.service")
        broken = self.unit("broken", "service")
        with open(broken, "w") as file:
            file.write("[Service]\nExecStart=relative\n")
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(os.unlink, broken)
        self.scope.systemctl("daemon-reload")
        units = ("masked.service", "nowhere.service", "no name", "broken.service")
        for number, unit in enumerate(units):
            self.scope.container(f"server{number}", "serve", "nginx", options=(
                "--network=none", f"--label=sockwake.publish={PORT + number}:80", f"--label=PODMAN_SYSTEMD_UNIT={unit}"))
        self.assertIn("broken.service", self.refused("--all"))
        instances = self.instances()
        self.assertEqual(sorted(instances), ["server0", "server1", "server2"])
        self.assertEqual({one.get("unit") for one in instances.values()}, {None})


class AdoptQuadlet(AdoptCase):
    """A Quadlet that carries its own wake rules: its container exists only while it runs."""

    scopes = (harness.SYSTEM_PODMAN, harness.USER_PODMAN) if HAS_QUADLET else ()

    def setUp(self):
        super().setUp()
        directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        self.file = f"{directory}/site.container"
        self.scope.run("mkdir", "-p", directory)
        self.addCleanup(self.forget)

    def forget(self):
        self.scope.systemctl("stop", "site.service", check=False)
        self.write(None)

    def write(self, labels):
        """The Quadlet with these labels; None: takes it away."""
        self.scope.run("rm", "-f", self.file)
        if labels is not None:
            text = f"[Container]\nImage={harness.SERVERS}\nNetwork=none\nExec=serve nginx\n"
            text += "".join(f"Label=sockwake.{key}={value}\n" for key, value in labels.items())
            self.scope.run("tee", self.file, input=text)
        self.scope.systemctl("daemon-reload")

    def test_asleep_awake_changed_gone(self):
        rules = {"publish": f"{PORT}:80", "idle-timeout": "1s", "name": "web"}
        self.write(rules)
        self.adopt("--all")  # it has never run
        self.assertEqual(self.instances()["web"]["unit"], "site.service")
        self.assertIn("nginx", harness.http(PORT))
        self.assertIn("Unchanged", self.adopt("--all", "--prune").stdout)
        self.scope.fall_asleep("web")
        self.assertIn("Unchanged", self.adopt("--all", "--prune").stdout)

        self.write(rules | {"idle-timeout": "2s"})
        self.assertIn("Replaced", self.adopt("--all").stdout)
        self.assertIn("nginx", harness.http(PORT))
        self.scope.fall_asleep("web")

        self.write(None)
        self.assertIn("Removed 'web'", self.adopt("--prune").stdout)
        self.assertEqual(self.instances(), {})

    def test_changed_and_gone_while_it_is_awake(self):
        rules = {"publish": f"{PORT}:80", "idle-timeout": "1h", "name": "web"}
        self.write(rules)
        self.adopt("--all")
        self.assertIn("nginx", harness.http(PORT))
        self.write(rules | {"idle-timeout": "2h"})
        self.assertIn("Replaced", self.adopt("--all").stdout)
        self.assertIn("Unchanged", self.adopt("--all", "--prune").stdout)
        self.assertIn("nginx", harness.http(PORT))
        self.write(None)
        self.assertIn("Removed 'web'", self.adopt("--all", "--prune").stdout)
        self.assertEqual((self.instances(), self.scope.container_state("systemd-site")), ({}, ""))
        # By its engine: the unit does not know how to any more, and kills who would remove the container.
        asked = self.scope.unit_journal("podman", since=self.started)
        self.assertTrue(any("POST /v4.0.0/libpod/containers/" in line and "/stop?" in line for line in asked))

        self.write(rules)  # the same, but it was started by somebody else
        self.adopt("--all")
        self.scope.systemctl("start", "site.service")
        self.write(None)
        self.assertIn(f"'{self.scope.engine} rm --force systemd-site' removes it", self.refused("--all", "--prune"))
        self.assertEqual(self.instances(), {})

    def test_its_own_name_is_avoided(self):
        self.write({"publish": f"{PORT}:80\nContainerName=site"})
        self.adopt("site")
        self.assertEqual(list(self.instances()), ["site-wake"])
        self.assertIn("nginx", harness.http(PORT))
        self.assertIn("Unchanged", self.adopt("--all").stdout)

    def test_its_own_name_is_avoided_for_a_container_with_dots(self):
        self.file = self.file.replace("site.container", "shop-web.container")
        self.addCleanup(self.scope.systemctl, "stop", "shop-web.service", check=False)
        self.write({"publish": f"{PORT}:80\nContainerName=shop.web"})
        for outcome in ("Created 'shop-web-wake'", "Unchanged 'shop-web-wake'"):
            self.assertIn(outcome, self.adopt("--all").stdout)

    def test_hostile_labels_of_a_quadlet(self):
        self.write({"publish": f"{PORT}:80", "health-check": "touch /tmp/pwned"})
        self.assertIn("'systemd-site', label 'sockwake.health-check'", self.refused("--all"))
        self.assertEqual(self.instances(), {})


class ManualsExamples(AdoptCase):
    """Runs the commands of docs/images.md, in their order."""

    page = os.path.join(os.path.dirname(__file__), "../../docs/images.md")

    def blocks(self, language):
        with open(self.page) as page:
            parts = page.read().split("```")[1::2]
        return [part.split("\n", 1)[1] for part in parts if part.startswith(language + "\n")]

    def do(self, block):
        for line in block.splitlines():
            words = line.split()
            if words[0] == "podman":
                words[0] = self.scope.engine
            elif words[1] in ("create", "adopt"):
                words[2:2] = ["--backend", self.scope.engine]
            self.scope.run(*words)

    def test_the_examples(self):
        one_line, removal, labels, again = self.blocks("sh")
        self.addCleanup(self.scope.engine_run, "volume", "rm", "--force", "web-files", check=False)
        self.do(one_line)
        self.assertIn("nginx", harness.http(8080))
        self.do(removal)
        self.assertEqual(self.instances(), {})
        self.assertEqual(self.scope.container_state("web"), "")

        self.do(labels)
        self.assertEqual(harness.redis(6379, "ping"), "PONG")
        if self.scope.engine == "podman" and HAS_QUADLET:
            self.define(*self.blocks("ini"))
        self.do(again)
        self.assertIn("cache", self.instances())
        if self.scope.engine == "podman" and HAS_QUADLET:
            self.assertIn("nginx", harness.http(8081))

    def define(self, quadlet):
        directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        self.scope.run("mkdir", "-p", directory)
        self.scope.run("tee", f"{directory}/site.container", input=quadlet)
        self.scope.systemctl("daemon-reload")
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(self.scope.run, "rm", f"{directory}/site.container")
        self.addCleanup(self.scope.systemctl, "stop", "site.service", check=False)
