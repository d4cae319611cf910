"""Prune commands while a container sleeps, and volumes that were removed all the same."""

import os

import harness

PORT = 7700
IMAGE = "localhost/pruned"
QUADLET = os.path.exists("/usr/lib/systemd/system-generators/podman-system-generator")
PODMANS = (harness.SYSTEM_PODMAN, harness.USER_PODMAN)
PRUNES = (("volume", "prune", "-f"), ("image", "prune", "-af"), ("container", "prune", "-f"), ("pod", "prune", "-f"),
          ("system", "prune", "-af", "--volumes"))
COMMAND = ("sh", "-c", "echo x >>/data/wakes; exec serve nginx")


class PruningCase(harness.Case):
    """An image of its own, of which a container counts its starts in the volume `kept`."""

    timeout = 150

    def setUp(self):
        super().setUp()
        if self.scope.engine == "podman":
            self.scope.systemctl("start", "podman.socket")
        self.addCleanup(self.forget)
        container = self.scope.engine_run("create", harness.SERVERS).stdout.strip()
        self.scope.engine_run("commit", "--change", "LABEL test=pruning", container, IMAGE, timeout=120)
        self.scope.engine_run("rm", container)

    def forget(self):
        self.scope.sockwake("remove", "web", "--with-container", check=False)
        self.scope.sockwake("remove", "--all", check=False)
        self.scope.engine_run("rm", "--force", "web", check=False)
        self.scope.engine_run("volume", "rm", "--force", "kept", check=False)
        self.scope.engine_run("rmi", "--force", IMAGE, check=False)

    def sockwake(self, command, *arguments, **options):
        backend = ("--backend", self.scope.engine) if command == "create" else ()
        return self.scope.sockwake(command, *backend, *arguments, **options)

    def hold_images(self):
        """Those of the other tests are in use."""
        for image in (harness.SERVERS, harness.BUSYBOX):
            name = f"hold-{image.rsplit('/', 1)[1]}"
            self.scope.engine_run("run", "--detach", "--network=none", "--stop-signal=KILL", "--name", name,
                                  image, "sleep", "1000")
            self.addCleanup(self.scope.engine_run, "rm", "--force", name)

    def served_and_asleep(self, instance="web"):
        self.assertIn("nginx", harness.http(PORT))
        self.scope.fall_asleep(instance)

    def starts(self):
        path = self.scope.engine_run("volume", "inspect", "--format", "{{.Mountpoint}}", "kept").stdout.strip()
        return harness.run("cat", f"{path}/wakes").stdout.count("x")

    def kept(self):
        """What refers to the image and volumes meanwhile."""
        return self.scope.engine_run("ps", "--all", "--filter=label=sockwake.keeps", "--format={{.Names}}").stdout.split()

    def assert_refused(self, instance, *words, asleep=True):
        self.assertLess(harness.refusal(PORT), 5)
        [complaint] = harness.eventually(lambda: self.scope.complaints(instance, self.started))
        for word in words:
            self.assertIn(word, complaint)
        if asleep:
            self.scope.fall_asleep(instance)  # until then others are refused for the same reason


class StoppedByHand(PruningCase):
    """A Quadlet's run that ends without a sleep of sockwake's has its volume remembered, too."""

    scopes = PODMANS if QUADLET else ()

    def test_its_volume_stays(self):
        self.sockwake("create", "web", "-p", f"{PORT}:80", "--network=none", "--image", IMAGE, "-v", "kept:/data", "--", *COMMAND)
        self.hold_images()
        self.assertIn("nginx", harness.http(PORT))
        harness.eventually(lambda: '"kept"' in self.scope.engine_run("inspect", "sockwake-web-keep").stdout)
        self.scope.systemctl("stop", "web-container.service")
        self.scope.fall_asleep("web")
        self.scope.engine_run("volume", "prune", "-f")
        self.assertIn("nginx", harness.http(PORT))
        self.assertEqual(self.starts(), 2)


class Made(PruningCase):
    """By `create --image`, with a Quadlet or by the API."""

    scopes = PODMANS

    def create(self, *options):
        return self.sockwake("create", "web", "-p", f"{PORT}:80", "--network=none", "--image", IMAGE, "-v", "kept:/data",
                             "--idle-timeout=1s", *options, "--", *COMMAND)

    def test_pruning_leaves_what_sleeps(self):
        self.create()
        self.hold_images()
        for prune in PRUNES[:2]:  # asleep since it was made
            self.scope.engine_run(*prune)
        self.served_and_asleep()
        for prune in PRUNES:
            self.scope.engine_run(*prune)
        self.assertEqual(self.kept(), ["sockwake-web-keep"])
        if not QUADLET:
            self.create("--force")
        self.served_and_asleep()
        self.assertEqual(self.starts(), 2)
        self.sockwake("remove", "web", "--with-container")
        self.assertEqual((self.kept(), self.scope.engine_run("pod", "ps", "--quiet").stdout), ([], ""))
        self.assertEqual(os.path.exists(self.record_directory()) and os.listdir(self.record_directory()) or [], [])

    def test_a_pod_of_that_name_is_somebody_elses(self):
        pod = "sockwake-web-keep-pod"
        self.scope.engine_run("pod", "create", "--infra=false", "--name", pod)
        self.addCleanup(self.scope.engine_run, "pod", "rm", "--force", pod, check=False)
        self.assertIn(pod, self.create().stderr)
        self.served_and_asleep()
        self.sockwake("remove", "web", "--with-container")
        self.assertEqual(self.scope.engine_run("pod", "ps", "--format={{.Name}}").stdout.split(), [pod])

    def record_directory(self):
        return "/var/lib/sockwake" if self.scope.is_system else f"{self.scope.home}/.local/state/sockwake"

    def test_a_volume_that_was_replaced_is_not_initialised(self):
        self.create()
        self.served_and_asleep()
        self.scope.engine_run("pod", "rm", "--force", "sockwake-web-keep-pod")
        if not QUADLET:
            self.scope.engine_run("rm", "web")
        self.scope.engine_run("volume", "rm", "kept")
        self.scope.engine_run("volume", "create", "kept")
        if not QUADLET:
            self.scope.engine_run("create", "--name=web", "--network=none", "-v", "kept:/data", IMAGE, *COMMAND)
        self.assert_refused("web", "'kept'", "replaced", "sockwake refresh --accept-volumes web", asleep=False)
        self.scope.sockwake("refresh", "web", "--accept-volumes")  # ends that wake
        self.assertNotIn("accept-volumes", self.scope.sockwake("status", "web").stdout)
        self.assertRaises(harness.Failed, self.starts)
        self.served_and_asleep()
        self.assertEqual(self.starts(), 1)

    def test_a_volume_that_is_gone_is_not_made_anew(self):
        self.create()
        self.served_and_asleep()
        self.scope.engine_run("pod", "rm", "--force", "sockwake-web-keep-pod")
        self.scope.engine_run("volume", "rm", "--force", "kept")
        self.assert_refused("web", "'kept'", "removed")
        status = self.scope.sockwake("status", "web").stdout
        self.assertIn("accept-volumes", status)
        self.assertNotIn("Connections:", status)  # nobody was served
        self.scope.sockwake("refresh", "--all")  # accepts nothing
        self.assertLess(harness.refusal(PORT), 5)


class Unit(PruningCase):
    """A Quadlet that somebody wrote, of which nothing is known before it runs but what its unit says."""

    scopes = PODMANS if QUADLET else ()

    def setUp(self):
        super().setUp()
        directory = "/etc/containers/systemd" if self.scope.is_system else f"{self.scope.home}/.config/containers/systemd"
        self.path = f"{directory}/site.container"
        self.scope.run("mkdir", "-p", directory)
        self.define(IMAGE)
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(os.unlink, self.path)

    def define(self, image):
        self.scope.run("tee", self.path, input=f"""[Container]
ContainerName=site
Image={image}
PodmanArgs=--pull=never
Network=none
Volume=kept:/data
Exec=sh -c "echo x >>/data/wakes; exec serve nginx"
[Quadlet]
DefaultDependencies=false
""")
        self.scope.systemctl("daemon-reload")

    def test_pruning_leaves_what_sleeps(self):
        self.sockwake("create", "web", "--unit", "site.service", "-p", f"{PORT}:80", "--idle-timeout=1s")
        self.assertEqual(self.kept(), ["sockwake-site-keep"])
        self.hold_images()
        self.scope.engine_run("image", "prune", "-af")
        self.served_and_asleep()
        for prune in PRUNES:
            self.scope.engine_run(*prune)
        self.served_and_asleep()
        self.assertEqual(self.starts(), 2)
        # Somebody who does not know its purpose removes it.
        self.scope.engine_run("pod", "rm", "--force", "sockwake-site-keep-pod")
        self.served_and_asleep()
        self.assertEqual(self.kept(), ["sockwake-site-keep"])
        self.sockwake("remove", "web")
        self.assertEqual(self.kept(), [])

    def test_another_image_is_followed(self):
        self.sockwake("create", "web", "--unit", "site.service", "-p", f"{PORT}:80", "--idle-timeout=1s")
        self.define(harness.SERVERS)
        self.served_and_asleep()
        self.assertEqual(self.image_of("sockwake-site-keep"), self.id_of(harness.SERVERS))
        self.define(IMAGE)
        self.scope.sockwake("refresh", "web")
        self.assertEqual(self.image_of("sockwake-site-keep"), self.id_of(IMAGE))

    def image_of(self, container):
        return self.scope.engine_run("inspect", "--format={{.Image}}", container).stdout

    def id_of(self, image):
        return self.scope.engine_run("image", "inspect", "--format={{.Id}}", image).stdout


class Docker(PruningCase):
    """Not protected: a note says so, and pruning shows it."""

    scopes = (harness.SYSTEM_DOCKER,)

    def container(self):
        self.scope.container("web", *COMMAND, image=IMAGE, options=("--network=none", "--volume=kept:/data"))

    def test_what_is_in_danger_is_said(self):
        self.container()
        note = self.sockwake("create", "web", "-p", f"{PORT}:80", "--idle-timeout=1s").stderr
        self.assertIn("docker system prune", note)
        self.assertIn("--idle-action pause", note)
        result = self.sockwake("create", "again", "-p", f"{PORT + 1}:80", "-p", f"{PORT + 2}:80", "--container-name=web")
        self.assertIn("as with your other instances", result.stderr)
        self.assertNotIn("--idle-action", result.stderr)
        ports = f"port {PORT + 1} → container web:80\n             and port {PORT + 2} → container web:80\n"
        self.assertEqual(result.stdout, f"Created instance 'again': {ports}")
        self.sockwake("remove", "--all")
        note = self.sockwake("create", "web", "-p", f"{PORT}:80", "--idle-action=pause").stderr
        self.assertIn("before its first wake", note)

    def test_pruned_with_its_data_and_made_anew(self):
        self.container()
        self.sockwake("create", "web", "-p", f"{PORT}:80", "--idle-timeout=1s")
        self.served_and_asleep()
        self.hold_images()
        self.scope.engine_run("system", "prune", "-f")
        self.scope.engine_run("volume", "rm", "kept")
        self.container()
        self.assert_refused("web", "'kept'", "replaced")
        self.scope.sockwake("refresh", "web", "--accept-volumes")
        self.served_and_asleep()
        self.assertEqual(self.starts(), 1)

    def test_a_filter_spares_what_was_made(self):
        self.sockwake("create", "web", "-p", f"{PORT}:80", "--network=none", "--image", IMAGE, "-v", "kept:/data",
                      "--idle-timeout=1s", "--", *COMMAND)
        self.served_and_asleep()
        self.hold_images()
        self.scope.engine_run("system", "prune", "-af", "--filter", "label!=sockwake.made-for")
        self.served_and_asleep()
        self.assertEqual(self.starts(), 2)
