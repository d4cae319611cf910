"""Reverse proxies in front of an instance: the configurations of docs/reverse-proxy.md, as they stand there, run by Debian's
servers."""

import os
import re
import shlex

import harness
import servers

PAGE = os.path.join(os.path.dirname(__file__), "../../docs/reverse-proxy.md")
HOST = "web.example.org"
IDLE = "--idle-timeout=300ms"

# The handshake of RFC 6455, with its sample key.
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

# Each server's unit, and the file that the page names.
FILES = {
    "nginx": ("nginx", "/etc/nginx/conf.d/web.conf"),
    "HAProxy": ("haproxy", "/etc/haproxy/haproxy.cfg"),
    "Caddy": ("caddy", "/etc/caddy/Caddyfile"),
    "Apache": ("apache2", "/etc/apache2/sites-available/web.conf"),
}


def section(title=None):
    """The text below a heading, or all."""
    with open(PAGE) as page:
        text = page.read()
    return text if title is None else re.split("^#+ ", text.split(f"# {title}\n")[1], flags=re.MULTILINE)[0]


def blocks(language, title=None):
    return re.findall(f"^```{language}\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)


def over_unix():
    """For each server: options of create, what to replace in its configuration, and by what."""
    rows = re.findall(r"^\| (\w+) \| `(-p .*?)` \| `(.*?)` \| `(.*?)` \|$", section("Over a Unix socket"), re.MULTILINE)
    return {name: (shlex.split(options), old, new.replace(r"\|", "|")) for name, options, old, new in rows}


class Proxy:
    """A server of this machine with a configuration of the page. In the end its file is as before."""

    def __init__(self, case, name, configuration):
        self.unit, self.path = FILES[name]
        self.before = None
        case.assertIn(f"`{self.path}`", section())
        if os.path.exists(self.path):
            with open(self.path) as file:
                self.before = file.read()
        case.addCleanup(self.stop)
        self.write(f"{self.before or ''}\n{configuration}")
        if name == "Apache":
            [once] = blocks("sh", "On the host")
            for line in once.splitlines():
                harness.run(*line.split())
        harness.run("systemctl", "restart", self.unit)

    def write(self, text):
        with open(self.path, "w") as file:
            file.write(text)

    def stop(self):
        harness.run("systemctl", "stop", self.unit)
        harness.run("systemctl", "reset-failed", self.unit, check=False)  # its starts are not counted
        self.write(self.before or "")


def get(port=80, run=harness.run, host="127.0.0.1"):
    """Returns status and body."""
    argv = ("curl", "--silent", "--max-time", "20", "--write-out", "\n%{http_code}", "--header", f"Host: {HOST}")
    body, _, status = run(*argv, f"http://{host}:{port}/", check=False).stdout.rpartition("\n")
    return status, body


class ProxyCase(harness.Case):
    scopes = (harness.SYSTEM_DOCKER,)

    def web(self, before="", name="web"):
        """nginx, which trusts proxies as the page says and answers with the client's address; it runs `before` first."""
        [trust] = blocks("nginx", "The client's address")
        text = f'events {{}} http {{ server {{ listen 80; {trust} location / {{ return 200 "$remote_addr"; }} }} }}'
        command = ("sh", "-c", f'{before} echo "$1" >/tmp/conf; exec nginx -g "daemon off;" -c /tmp/conf', "sh", text)
        self.scope.container(name, *command, options=("--network=none",))

    def create(self, *options):
        self.scope.sockwake("create", "web", *options)

    def assert_served(self, **where):
        self.assertEqual(get(**where), ("200", "127.0.0.1"))

    def assert_falls_asleep(self):
        """Soon after the idle time-out, because the proxy keeps no connection."""
        harness.eventually(lambda: self.scope.state("web.service") == "inactive", timeout=5)


class HostCase(ProxyCase):
    any_release = True

    def proxy(self, name, old=None, new=None):
        [configuration] = blocks(name.lower(), "On the host")
        if old is not None:
            self.assertIn(old, configuration)
            configuration = configuration.replace(old, new)
        return Proxy(self, name, configuration)


class OnTheHost(HostCase):
    def check(self, name):
        self.web()
        [create] = [block for block in blocks("sh") if "--startup-timeout" in block]
        self.scope.run(*shlex.split(create), IDLE)
        proxy = self.proxy(name)
        self.assertEqual(get(run=harness.outside, host=harness.INSIDE[0]), ("200", harness.OUTSIDE[0]))
        self.assert_falls_asleep()

        # A failed wake, and a socket that is off, do not make the proxy avoid the instance afterwards.
        self.scope.engine_run("rename", "web", "away")
        self.assertEqual(get()[0], "502")
        self.scope.engine_run("rename", "away", "web")
        harness.eventually(lambda: get()[0] == "200", timeout=5)
        self.scope.systemctl("stop", "web.socket", "web.service")
        self.assertIn(get()[0], ("502", "503"))
        self.scope.systemctl("start", "web.socket")
        self.assert_served()

        proxy.stop()
        self.over_a_unix_socket(name)

    def over_a_unix_socket(self, name):
        options, old, new = over_unix()[name]
        self.create(*options[:2], "--force", IDLE)
        self.proxy(name, old, new)
        self.assertIn(get()[0], ("502", "503"))  # Permission denied
        self.create(*options, "--force", IDLE)
        self.assert_served()
        self.assert_falls_asleep()

    def test_nginx(self):
        self.check("nginx")

    def test_haproxy(self):
        self.check("HAProxy")

    def test_caddy(self):
        self.check("Caddy")

    def test_apache(self):
        self.check("Apache")


class Settings(HostCase):
    """What the configurations say about time-outs and WebSockets."""

    def test_the_time_out_for_the_answer_is_the_one_that_counts(self):
        self.web("sleep 2;")
        self.create("-p", "127.0.0.1:8080:80")
        for name, setting, status in (
            ("nginx", "proxy_read_timeout 90s", "504"),
            ("HAProxy", "timeout server 90s", "504"),
            ("Apache", "timeout=90", "502"),
        ):
            with self.subTest(name):
                proxy = self.proxy(name, setting, setting.replace("90", "1"))
                self.assertEqual(get()[0], status)
                harness.eventually(lambda: self.scope.state("web.service") == "active")  # the start went on
                self.assert_served()
                proxy.stop()
                self.scope.sockwake("sleep", "web")

    def test_websockets(self):
        until_empty = "while read -r line && [ ${#line} -gt 1 ]; do :; done"
        answer = f"HTTP/1.1 101 Switching Protocols\r\n{UPGRADE}Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        command = servers.answering(80, f"{until_empty}; printf '{servers.escaped(answer.encode())}'; exec cat")
        self.scope.container("web", *command, image=harness.BUSYBOX, options=("--network=none", *servers.STOP_AT_ONCE))
        self.create("-p", "127.0.0.1:8080:80", IDLE)
        for name in FILES:
            with self.subTest(name):
                proxy = self.proxy(name)
                with harness.connect(80) as connection, connection.makefile("rb") as stream:
                    connection.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n{UPGRADE}{KEY}\r\n".encode())
                    self.assertEqual(stream.readline().split()[1], b"101")
                    while stream.readline().strip():
                        pass
                    connection.sendall(b"a message")
                    self.assertEqual(stream.read(9), b"a message")
                proxy.stop()


class InAContainer(ProxyCase):
    """The page's nginx in a container. The lab has an image of its own, which lacks the group and includes no other files."""

    GROUP = 101

    def run_as_written(self, block):
        for line in block.splitlines():
            words = shlex.split(line.replace("$XDG_RUNTIME_DIR", self.scope.runtime_directory))
            if words[:2] == ["sockwake", "create"]:
                self.scope.run(*words, IDLE)
                continue
            self.assertEqual(words.pop(), "docker.io/library/nginx")
            [mounted] = [word for word in words if word.endswith(":/etc/nginx/conf.d/web.conf:ro")]
            words[words.index(mounted)] = f"{self.configuration}:/etc/nginx/conf.d/web.conf:ro"
            includes = "events {} http { include /etc/nginx/conf.d/*.conf; }"
            prepare = f"echo nginx:x:{self.GROUP}: >>/etc/group; echo '{includes}' >/etc/nginx/nginx.conf"
            self.scope.run(*words, harness.SERVERS, "sh", "-c", f'{prepare}; exec nginx -g "daemon off; user www-data nginx;"')

    def check(self, block, address, port):
        self.configuration = harness.run("mktemp", "/var/tmp/front-XXXXXX").stdout.strip()
        self.addCleanup(os.unlink, self.configuration)
        [configuration] = blocks("nginx", "On the host")
        with open(self.configuration, "w") as file:
            file.write(configuration.replace("http://127.0.0.1:8080", address))
        os.chmod(self.configuration, 0o644)
        self.web()
        self.run_as_written(block)
        harness.eventually(lambda: get(port)[0] == "200")
        self.assert_falls_asleep()
        self.assertEqual(get(port)[0], "200")


class ByAddress(InAContainer):
    any_release = True

    def test_of_the_bridge(self):
        [block] = blocks("sh", "By address")
        self.check(block, "http://host.docker.internal:8080", 80)


class ByUnixSocket(InAContainer):
    scopes = harness.BOTH

    def test_by_a_unix_socket(self):
        of_root, rootless = blocks("sh", "By a Unix socket")
        block, port = (of_root, 80) if self.scope.is_system else (rootless, 8000)
        _, _, address = over_unix()["nginx"]
        self.check(block, address, port)

        # The socket is made anew: the container has the directory, not the socket.
        self.scope.systemctl("stop", "web.socket", "web.service")
        self.scope.systemctl("start", "web.socket")
        self.assertEqual(get(port)[0], "200")
