"""The ways from a host's port to a server in a container that the bench of the proxy compares.

All containers are of one image and run the same servers: redis and nginx, beside them, started in the container's
network namespace, `iperf3 -s` and `peer serve` (peer.c). Every way leads to each of SERVICES, from a port of
127.0.0.1."""

import glob
import os
import subprocess

import harness
import subjects

SERVICES = {"redis": "6379", "http": "80", "iperf3": "5201", "idle": "7007", "echo": "7007/udp"}
PEER = "/usr/local/bin/bench-peer"
NSHELPER = "/usr/libexec/sockwake/nshelper"
CONNECTIONS_MAX = 4000  # HAProxy and systemd-socket-proxyd need several descriptors for each, out of a limit of 20,000

# A log entry for every request would measure the engines' logging.
SERVE = "sed -i 's/access_log.*/access_log off;/' /etc/nginx/nginx.conf && nginx && exec serve redis --save ''"


class Container:
    """A container that runs from `start` on."""

    def __init__(self, scope, name, *options):
        self.scope = scope
        self.name = name
        self.options = options
        self.pid = None

    def start(self, *options):
        if self.pid:
            return
        argv = ("run", "--detach", "--pull=never", "--name", self.name, *self.options, *options)
        self.scope.engine_run(*argv, harness.SERVERS, "sh", "-c", SERVE)
        self.pid = self.scope.container_pid(self.name)
        self.spawn("iperf3", "-s")
        self.spawn(PEER, "serve", SERVICES["idle"])

    def inside(self, *argv):
        return ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--", *argv)

    def spawn(self, *argv):
        """A server of ours in the container's network; it ends with the lab."""
        nowhere = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        subprocess.Popen(self.inside(*argv), **nowhere)


class Path:
    """`ports` are those of 127.0.0.1, one a service."""

    name = None  # of its container, units and figures
    title = None  # for people

    def __init__(self, container, first_port):
        self.container = container
        self.ports = {service: first_port + k for k, service in enumerate(SERVICES)}

    def set_up(self):
        """Once; returns when clients can come."""
        raise NotImplementedError

    def carries(self, service):
        return True

    def client(self, *argv):
        """The command line of a client of this path."""
        return argv

    def processes(self, service):
        """The PIDs of those that forward a service."""
        raise NotImplementedError


class Direct(Path):
    name = "none"
    title = "no proxy: client inside the namespace"

    def set_up(self):
        self.container.start()
        self.ports = {service: int(port.removesuffix("/udp")) for service, port in SERVICES.items()}

    def client(self, *argv):
        return self.container.inside(*argv)

    def processes(self, _service):
        return []


# --- proxies that systemd starts, inside the namespace


class Activated(Path):
    """Units in the user manager; the service enters the container's namespace with our nshelper."""

    def carries(self, service):
        return service != "echo"

    def install(self, unit, services, command, *settings):
        listen = "".join(f"ListenStream=127.0.0.1:{self.ports[service]}\n" for service in services)
        subjects.install(self.container.scope, f"{unit}.socket", f"[Socket]\n{listen}NoDelay=yes\n")
        subjects.install(self.container.scope, f"{unit}.service", f"""
[Service]
ExecStart={NSHELPER} --pid {self.container.pid} -- {command}
LimitNOFILE=infinity
""")
        subjects.start_socket(self.container.scope, f"{unit}.socket")
        self.container.scope.systemctl("start", f"{unit}.service")

    def unit(self, _service):
        """The unit that forwards a service."""
        return f"bench-{self.name}"

    def processes(self, service):
        return [int(self.container.scope.property(f"{self.unit(service)}.service", "MainPID"))]


class SocketProxyd(Activated):
    """It knows one target, so there is one for each service."""

    name = "proxyd"
    title = "systemd-socket-proxyd inside the namespace"

    def set_up(self):
        self.container.start()
        for service in filter(self.carries, SERVICES):
            options = f"--connections-max={CONNECTIONS_MAX}"
            command = f"/usr/lib/systemd/systemd-socket-proxyd {options} 127.0.0.1:{SERVICES[service]}"
            self.install(self.unit(service), [service], command)

    def unit(self, service):
        return f"bench-{self.name}-{service}"


class HAProxy(Activated):
    def __init__(self, container, first_port, threads):
        super().__init__(container, first_port)
        self.threads = threads
        self.name = f"haproxy-{threads}"
        self.title = f"HAProxy, TCP mode, {threads} {'threads' if threads > 1 else 'thread'}, inside the namespace"

    def set_up(self):
        self.container.start()
        services = list(filter(self.carries, SERVICES))
        text = f"""
global
	nbthread {self.threads}
	maxconn {CONNECTIONS_MAX}
defaults
	mode tcp
	option splice-auto
	timeout connect 5s
	timeout client 1h
	timeout server 1h
"""
        for descriptor, service in enumerate(services, start=3):
            text += f"listen {service}\n\tbind fd@{descriptor}\n\tserver {service} 127.0.0.1:{SERVICES[service]}\n"
        configuration = f"{self.container.scope.home}/{self.name}.cfg"
        subjects.write(self.container.scope, configuration, text)
        self.install(self.unit(None), services, f"/usr/sbin/haproxy -db -f {configuration}")


class Sockwake(Path):
    """What `sockwake create` makes, woken by its first client: confined, under its unit."""

    def __init__(self, container, first_port, name, title, *options):
        super().__init__(container, first_port)
        self.name = name
        self.title = title
        self.options = options

    def set_up(self):
        self.container.start()
        publish = [f"--publish=127.0.0.1:{self.ports[service]}:{SERVICES[service]}" for service in SERVICES]
        self.container.scope.sockwake(
            *("create", f"bench-{self.name}", *publish, "--container-name", self.container.name),
            *("--idle-timeout", "1h", "--keep-running", "--no-notifications", *self.options),
        )

    def processes(self, _service):
        group = self.container.scope.property(f"bench-{self.name}.service", "ControlGroup")
        return list(map(int, subjects.processes_of(group)))


# --- published ports


class Published(Path):
    """The engine's own forwarding, asked for with `-p`. `pattern` is found in the command lines of its processes,
    `PORT` being the host's port."""

    def __init__(self, container, first_port, name, title, pattern):
        super().__init__(container, first_port)
        self.name = name
        self.title = title
        self.pattern = pattern

    def set_up(self):
        kinds = {service: "/udp" if port.endswith("/udp") else "" for service, port in SERVICES.items()}
        ports = {service: port.removesuffix("/udp") for service, port in SERVICES.items()}
        self.container.start(
            *(f"--publish=127.0.0.1:{self.ports[service]}:{ports[service]}{kinds[service]}" for service in SERVICES)
        )

    def processes(self, service):
        return [pid for pid, line in command_lines() if self.pattern.replace("PORT", str(self.ports[service])) in line]


class Bridge(Published):
    """The network of rootless bridges may have a pasta as its way out, which nobody takes here. It is ended, because its
    pipes count against a limit of the user's (pipe(7), pipe-user-pages-soft): those of all others would be tiny."""

    def set_up(self):
        super().set_up()
        harness.run("pkill", "--full", "pasta .*/rootless-netns/", check=False)


def command_lines():
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path) as file:
                yield int(path.split("/")[2]), file.read().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile


def all_paths():
    inside = Container(harness.USER_PODMAN, "bench-inside", "--network=none")
    pasta = Container(harness.USER_PODMAN, "bench-pasta", "--network=pasta")
    bridge = Container(harness.USER_PODMAN, "bench-bridge", "--network=bridge")
    docker = Container(harness.SYSTEM_DOCKER, "bench-docker")
    ports = iter(range(15000, 16000, len(SERVICES)))
    harness.run("cc", "-O2", "-o", PEER, f"{os.path.dirname(os.path.abspath(__file__))}/peer.c")
    yield Direct(inside, next(ports))
    yield SocketProxyd(inside, next(ports))
    yield Published(pasta, next(ports), "pasta", "podman -p, pasta", "pasta --config-net")
    yield Bridge(bridge, next(ports), "bridge", "podman -p, bridge (rootlessport)", "rootlessport")
    docker_proxy = "docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port PORT "
    yield Published(docker, next(ports), "docker", "docker -p (docker-proxy)", docker_proxy)
    yield HAProxy(inside, next(ports), 1)
    yield HAProxy(inside, next(ports), 2)
    yield Sockwake(inside, next(ports), "sockwake", "sockwake")
