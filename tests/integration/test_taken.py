"""What `create` sees before any wake would fail: ports that a pod or the host's network takes, Podman's name servers,
the container in a Kubernetes file's pod, and an engine that is not there."""

import contextlib
import json
import os
import signal
import subprocess

import harness
from test_quadlet import PODMANS, UnitCase, quadlet_directory

PORT = 7580
SERVER = ("httpd", "-f", "-p", "8080")
INFRA = ("--infra-image", harness.BUSYBOX, "--infra-command", "sleep 1000")
MEMBER = ("--pull=never", "--pod=site", "--stop-signal=KILL")
PAUSE = "/usr/libexec/podman/catatonit"


class TakenCase(harness.Case):
    def create(self, *argv, check=False):
        return self.scope.sockwake("create", f"--backend={self.scope.engine}", *argv, check=check)

    def refused(self, *argv, words):
        result = self.create(*argv)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(json.loads(self.scope.sockwake("list", "--json").stdout), [])

    def noted_by_a_dry_run(self, *argv, word):
        result = self.create("--dry-run", *argv, check=True)
        self.assertIn("[Socket]", result.stdout)
        self.assertIn(word, result.stderr)

    def warning(self, name):
        return json.loads(self.scope.sockwake("status", "--json", name).stdout)["note"]


class PodOfPodman(TakenCase):
    scopes = (harness.USER_PODMAN,)

    def make(self, *options):
        self.scope.engine_run("pod", "rm", "--force", "--time=0", "--ignore", "site")
        self.scope.engine_run("pod", "create", "--name=site", "--network=slirp4netns", *options, *INFRA)
        self.addCleanup(self.scope.engine_run, "pod", "rm", "--force", "--time=0", "--ignore", "site")
        self.scope.engine_run("create", *MEMBER, "--name=web", harness.BUSYBOX, *SERVER)

    def test_the_pod_publishes(self):
        self.make("-p", f"{PORT}:8080", "-p", f"127.0.0.1:{PORT + 1}:8081")
        words = (f"the pod of the container 'web' publishes port {PORT} ", f"without '-p {PORT}:8080'", "(-p OTHER:8080)")
        self.refused("web", f"-p{PORT}:8080", words=words)
        self.refused("web", f"-p127.0.0.1:{PORT + 1}:8080", words=(f"publishes port {PORT + 1} ",))
        self.noted_by_a_dry_run("web", f"-p{PORT}:8080", word=f"publishes port {PORT} ")
        noted = self.create("web", f"-p{PORT + 2}:8080", check=True).stderr
        self.assertRegex(noted, "the pod of the container 'web' publishes port (7580, 7581|7581, 7580) itself: .* refused while it sleeps")
        self.assertEqual(harness.run("curl", "-so/dev/null", f"127.0.0.1:{PORT + 2}", check=False).returncode, 0)
        # made anew with another port since then
        self.scope.sockwake("sleep", "web")
        self.make("-p", f"{PORT + 2}:8080")
        self.assertIn(f"the pod of the container 'web' publishes port {PORT + 2} ", self.warning("web"))

    def test_a_label_asks_for_the_same(self):
        self.make("-p", f"{PORT}:8080")
        label = f"--label=sockwake.publish={PORT}:8080"
        self.scope.engine_run("create", *MEMBER, "--name=asks", label, harness.BUSYBOX, *SERVER)
        for dry in (), ("--dry-run",):
            result = self.scope.sockwake("adopt", "--all", *dry, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"the pod of the container 'asks' publishes port {PORT} ", result.stderr)


class PodFile(TakenCase, UnitCase):
    """A .pod Quadlet. Nothing of it ever starts."""

    scopes = PODMANS

    def test_the_pod_publishes(self):
        directory = quadlet_directory(self.scope)
        self.write(f"{directory}/cache.container", f"[Container]\nImage={harness.SERVERS}\nExec=redis\nPod=site.pod\n")
        pod = f"{directory}/site.pod"
        self.write(pod, f"[Pod]\nPublishPort={PORT}:6379\nPublishPort={PORT + 1}:80\n")
        self.scope.systemctl("daemon-reload")
        unit, user = ("--unit", "cache.service"), "" if self.scope.is_system else "--user "
        words = (f"site-pod.service makes a pod that publishes '{PORT}:6379'", f"'PublishPort={PORT}:6379' out of '{pod}'",
                 f"'systemctl {user}daemon-reload'", f"'systemctl {user}stop site-pod.service'")
        self.refused(*unit, f"-p{PORT}:6379", words=words)
        self.refused(*unit, f"-p{PORT}:6379", "--drop-publish", words=(*words, "--drop-publish changes no pod"))
        self.noted_by_a_dry_run(*unit, f"-p{PORT}:6379", word=words[0])
        self.assertFalse(os.path.exists(f"{pod}.d"))

        noted = self.create(*unit, f"-p{PORT + 2}:6379", check=True).stderr
        self.assertIn(f"site-pod.service publishes port {PORT}:6379, {PORT + 1}:80 itself", noted)
        self.assertIsNone(self.warning("cache-wake"))
        self.write(pod, f"[Pod]\nPublishPort={PORT + 2}:6379\n[Install]\nWantedBy=default.target\n")
        self.scope.systemctl("daemon-reload")
        self.assertIn(f"site-pod.service makes a pod that publishes '{PORT + 2}:6379'", self.warning("cache-wake"))
        self.write(pod, "[Pod]\n[Install]\nWantedBy=default.target\n")
        self.scope.systemctl("daemon-reload")
        self.assertIn(".target starts site-pod.service, and with it all containers of that pod", self.warning("cache-wake"))
        self.scope.sockwake("remove", "cache-wake")
        self.refused(*unit, f"-p{PORT}:6379", "--no-boot", words=("which --no-boot does not change", f"out of '{pod}'"))

    def test_the_hosts_network(self):
        text = f"[Container]\nImage={harness.SERVERS}\nExec=redis\nNetwork=host\n"
        self.write(f"{quadlet_directory(self.scope)}/cache.container", text)
        self.scope.systemctl("daemon-reload")
        word = "uses the host's network, and its server could not listen on port 6379"
        self.refused("--unit", "cache.service", "-p6379:6379", words=(word, "(-p OTHER:6379)"))
        self.noted_by_a_dry_run("--unit", "cache.service", "-p6379:6379", word=word)
        self.assertIn("'--target 127.0.0.1'", self.create("--unit", "cache.service", f"-p{PORT}:6379", check=True).stderr)


    def test_the_network_of_another(self):
        directory = quadlet_directory(self.scope)
        quadlet = f"[Container]\nImage={harness.SERVERS}\nExec=redis\n"
        self.write(f"{directory}/vpn.container", f"{quadlet}ContainerName=vpn\nPublishPort={PORT}:6379\n")
        self.write(f"{directory}/cache.container", f"{quadlet}Network=vpn.container\n")
        self.scope.systemctl("daemon-reload")
        unit, words = ("--unit", "cache.service"), ("the network of 'vpn', for which vpn.service publishes '7580:6379'",)
        self.refused(*unit, f"-p{PORT}:6379", words=words)
        self.noted_by_a_dry_run(*unit, f"-p{PORT}:6379", word=words[0])
        # The same of one that no unit makes.
        self.write(f"{directory}/cache.container", f"{quadlet}Network=container:plain\n")
        self.scope.systemctl("daemon-reload")
        network = () if self.scope.is_system else ("--network=slirp4netns",)
        self.scope.container("plain", "redis", options=("-p", f"{PORT}:6379", *network))
        self.refused(*unit, f"-p{PORT}:6379", words=(f"'plain', whose network 'systemd-cache' has, publishes port {PORT} ",))
        self.create(*unit, f"-p{PORT + 1}:6379", check=True)


class KubernetesFile(TakenCase, UnitCase):
    """The main process of its unit watches a container that is no server and has no network."""

    scopes = PODMANS

    @classmethod
    def setUpClass(cls):
        """Podman makes the image of that container from a program that the labs do not have."""
        super().setUpClass()
        if not os.path.exists(PAUSE):
            source = "#include <signal.h>\n#include <unistd.h>\nint main(void) { signal(SIGTERM, _exit); for (;;) pause(); }\n"
            os.makedirs(os.path.dirname(PAUSE), exist_ok=True)
            subprocess.run(["gcc", "-static", "-xc", "-o", PAUSE, "-"], input=source, text=True, check=True)

    def define(self, *containers, publish="", policy="Always", host="false"):
        directory = quadlet_directory(self.scope)
        self.write(f"{directory}/cache.yml", f"""
apiVersion: v1
kind: Pod
metadata: {{name: shop}}
spec:
  hostNetwork: {host}
  restartPolicy: {policy}
  containers: {json.dumps([
      {"name": name, "image": f"{harness.SERVERS}:latest", "imagePullPolicy": "Never", "args": list(args),
       "ports": [{"containerPort": 80, "hostPort": PORT + 3}] if name == "web" else []}
      for name, *args in containers])}
""")
        self.write(f"{directory}/cache.kube", f"[Quadlet]\nDefaultDependencies=false\n[Kube]\nYaml=cache.yml\n{publish}\n")
        self.scope.systemctl("daemon-reload")

    def test_the_named_container_is_served(self):
        self.define(("web", "nginx"), ("cache", "redis"), publish=f"PublishPort={PORT}:6379")
        unit = ("--unit", "cache.service")
        self.refused(*unit, f"-p{PORT}:6379", words=("'--container-name POD-CONTAINER'",))
        self.define(("cache", "redis"), host="true")
        self.refused(*unit, "--container-name=shop-cache", "-p6379:6379", words=("'shop-cache' uses the host's network",))
        self.define(("web", "nginx"), ("cache", "redis"), publish=f"PublishPort={PORT}:6379")
        hosts = ("--container-name=shop-cache", f"-p{PORT + 3}:6379", "--drop-publish")
        self.refused(*unit, *hosts, words=(f"take 'hostPort: {PORT + 3}' out of that file",))
        named = (*unit, "--container-name=shop-cache", f"-p127.0.0.1:{PORT}:6379", "--idle-timeout=2s")
        self.refused(*named, words=("--drop-publish writes '[Kube]' and 'PublishPort='",))
        self.create(*named, "--drop-publish", check=True)
        for _ in range(2):
            self.assertEqual(harness.redis(PORT, "ping"), "PONG")
            self.assert_asleep()
        self.assertEqual(self.scope.complaints("cache-wake", self.started), [])
        self.scope.sockwake("remove", "cache-wake")

        # While it runs, it shows which containers there are; those that hold the pod together are no servers.
        self.scope.systemctl("start", "cache.service")
        self.refused(*unit, f"-p{PORT + 1}:6379", words=("more than one container, 'shop-",))
        names = self.scope.engine_run("ps", "--format={{.Names}}").stdout.split()
        for suffix in "-infra", "-service":
            [helper] = (name for name in names if name.endswith(suffix))
            self.refused(*unit, f"--container-name={helper}", f"-p{PORT + 1}:6379", words=("only holds a pod together",))

    def test_a_container_that_ends_alone_and_one_of_its_name(self):
        self.define(("web", "nginx"), ("cache", "redis"), policy="Never")
        self.create("--unit=cache.service", "--container-name=shop-cache", f"-p{PORT}:6379", "--startup-timeout=10s", check=True)
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        began = self.scope.property("cache.service", "InvocationID")
        os.kill(self.scope.container_pid("shop-cache"), signal.SIGKILL)
        self.scope.engine_run("wait", "shop-cache")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")
        self.assertEqual(self.scope.property("cache.service", "InvocationID"), began)

        self.scope.engine_run("rm", "--force", "--time=0", "shop-cache")
        self.scope.engine_run("run", "--detach", "--name=shop-cache", "--network=none", harness.SERVERS, "redis")
        self.addCleanup(self.scope.engine_run, "rm", "--force", "--time=0", "--ignore", "shop-cache")
        self.assertNotEqual(harness.redis(PORT, "ping", check=False), "PONG")
        harness.eventually(lambda: any("'shop-cache' is not the one of the unit" in line
                                       for line in self.scope.complaints("cache-wake", self.started)))
        # The advice helps.
        self.scope.engine_run("rm", "--force", "--time=0", "shop-cache")
        self.scope.systemctl("restart", "cache.service")
        self.assertEqual(harness.redis(PORT, "ping"), "PONG")


class HostsNetwork(TakenCase):
    """Of the container, of the one whose network it has, and of one that it needs."""

    def test_the_same_port(self):
        self.scope.container("host", "redis", options=("--network=host",))
        self.scope.container("guest", "redis", options=("--network=container:host",))
        self.scope.container("none", "redis", options=("--network=none",))
        self.refused("guest", "-p6379:6379", words=("'guest' uses the host's network", "(-p OTHER:6379)"))
        self.refused("none", "-p6379:80", "--with=host:6379", words=("'host', which --with names, uses the host's network",))
        self.create("none", f"-p{PORT}:6379", "--with=host:6379", check=True)


class NameServers(TakenCase):
    """Port 53 of all addresses, and a network of root's Podman."""

    scopes = (harness.SYSTEM_DOCKER,)

    def test_port_53(self):
        self.scope.container("dns", "redis")
        podman = harness.SYSTEM_PODMAN
        port = ("-p", "53:53/udp")
        podman.engine_run("network", "prune", "--force")
        # The lab's own resolver may be on that port.
        self.assertIn("-p ADDRESS:53:53/udp", self.create("--dry-run", "dns", *port, check=True).stderr)
        self.create("dns", *port, check=True)
        self.assertIsNone(self.warning("dns"))
        podman.engine_run("network", "create", "names")
        self.addCleanup(podman.engine_run, "network", "rm", "--force", "names")
        self.assertIn("can start no container in its network 'names'", self.warning("dns"))
        self.scope.sockwake("remove", "dns")
        self.refused("dns", *port, words=("network 'names'", "(-p ADDRESS:53:53/udp)"))
        self.noted_by_a_dry_run("dns", *port, word="network 'names'")
        self.create("dns", "-p", "127.0.0.1:53:53/udp", check=True)


class RootsDocker(TakenCase):
    """A user without a Docker of their own asks for a container of root's."""

    scopes = (harness.USER_PODMAN,)

    def test_root_is_named(self):
        own = f"{self.scope.runtime_directory}/docker.sock"
        for engine in (), ("--backend", "docker"):
            with self.subTest(engine), harness.missing(own) if os.path.exists(own) else contextlib.nullcontext():
                result = self.scope.sockwake("create", "dd", "-p", f"{PORT}:80", *engine, check=False)
                self.assertEqual(result.returncode, 1)
                self.assertIn("root's: use sudo", result.stderr)


class OneEngine(TakenCase):
    """The default engine is not installed, and the other one is."""

    scopes = (harness.SYSTEM_DOCKER, harness.USER_PODMAN)

    def test_the_other_is_named(self):
        default = self.scope.engine
        path = f"{self.scope.runtime_directory}/{'docker.sock' if self.scope.is_system else 'podman/podman.sock'}"
        own_docker = f"{harness.USER_DOCKER.runtime_directory}/docker.sock"
        if os.path.exists(own_docker):  # another test's: with it the user's other engine would be meant
            self.enterContext(harness.missing(own_docker))
        expected = "Podman is: add --backend podman" if self.scope.is_system else "Docker's containers are root's: use sudo"
        for command in ("create", "x", "-p1234"), ("adopt", "--all"):
            with self.subTest(command[0]), harness.missing(path):
                away = self.scope.sockwake(*command, check=False)
                with harness.missing(f"/usr/bin/{default}"):
                    absent = self.scope.sockwake(*command, check=False)
            self.assertIn("nothing listens", away.stderr)
            self.assertEqual("--backend podman" in away.stderr, self.scope.is_system)
            self.assertIn(f"{default.title()}, the default", absent.stderr)
            self.assertIn(expected, absent.stderr)
            self.assertNotIn("enable", absent.stderr)
