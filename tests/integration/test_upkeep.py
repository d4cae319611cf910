"""Backups, jobs and updates: the commands of docs/backup.md and docs/updates.md, as they stand there."""

import os
import re

import cells
import harness

PROGRAMS = "/usr/lib/postgresql/current/bin"  # in the lab's image
HAS_COMPOSE = os.path.exists("/usr/libexec/docker/cli-plugins/docker-compose")
IMAGE = "docker.io/library/nginx:latest"  # the pages' example
PORT = 7860
DOCS = os.path.join(os.path.dirname(__file__), "../../docs")


def blocks(page, language):
    with open(f"{DOCS}/{page}") as file:
        return re.findall(f"^```{language}\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


class PageCase(harness.Case):
    """The pages are written for an ordinary user with Podman, and for images of a registry."""

    def setUp(self):
        super().setUp()
        self.directory = self.scope.run("mktemp", "-d", "/var/tmp/upkeep-XXXXXX").stdout.strip()
        self.addCleanup(harness.run, "rm", "-rf", self.directory)

    def as_here(self, text):
        text = text.replace("docker.io/library/busybox", harness.BUSYBOX)
        if self.scope.is_system:
            text = text.replace("systemctl --user", "systemctl")
        return text.replace("podman", self.scope.engine)

    def do(self, block, **options):
        return self.scope.run("sh", "-ec", f"cd {self.directory}; {self.as_here(block)}", **options)

    def path(self, name):
        return f"{self.directory}/{name}"


class Backup(PageCase):
    any_release = True

    def setUp(self):
        self.addCleanup(self.scope.engine_run, "volume", "rm", "--force", "pgdata")  # after its container
        super().setUp()

    def create(self, *options):
        volume = "--volume=pgdata:/var/lib/postgresql/data"
        self.scope.container("pg", "postgres", options=(volume, "--network=none", f"--env=PATH={harness.PATH}:{PROGRAMS}"))
        self.scope.sockwake("create", "pg", "-p", "127.0.0.1:5432:5432", *options)
        harness.psql(5432, "create table precious()")

    def assert_dumped(self):
        with open(self.path("pg.sql")) as dump:
            self.assertIn("CREATE TABLE public.precious", dump.read())

    def assert_asleep(self):
        self.assertEqual(self.scope.container_state("pg"), "exited")

    def test_dumps(self):
        through_the_socket, by_exec = [block for block in blocks("backup.md", "sh") if "pg_dumpall" in block]
        self.create()
        self.scope.sockwake("sleep", "pg")
        self.do(through_the_socket)
        self.assert_dumped()
        os.unlink(self.path("pg.sql"))

        self.scope.sockwake("sleep", "pg")
        self.do(by_exec)
        self.assert_dumped()
        self.assert_asleep()
        os.unlink(self.path("pg.sql"))

        self.run_the_unit()
        self.assert_dumped()
        self.assert_asleep()

    def run_the_unit(self):
        [unit] = blocks("backup.md", "ini")
        path = f"{self.scope.unit_directory}/pg-backup.service"
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(os.unlink, path)
        self.scope.run("mkdir", "-p", self.scope.unit_directory)
        self.scope.run("tee", path, input=f"{self.as_here(unit)}WorkingDirectory={self.directory}\n")
        self.scope.systemctl("daemon-reload")
        self.scope.systemctl("start", "pg-backup.service")

    def test_a_command_is_no_use_but_a_hold_keeps_the_container(self):
        job = ("exec", "pg", "sh", "-c", "sleep 1; echo done")
        self.create("--idle-timeout=300ms")
        self.assertNotIn("done", self.scope.engine_run(*job, check=False).stdout)
        self.scope.fall_asleep("pg")
        self.scope.sockwake("wake", "pg", "--for", "1h")
        self.assertEqual(self.scope.engine_run(*job).stdout, "done\n")

    def test_a_copy_of_the_volume(self):
        *_, copy, restore = blocks("backup.md", "sh")
        stop, sleep, save, start = copy.splitlines()
        self.create()
        self.do(f"{stop}\n{sleep}")
        with self.assertRaises(ConnectionRefusedError):
            harness.connect(5432)
        self.assertIn(" off ", self.scope.sockwake("list").stdout)
        self.do(f"{save}\n{start}")

        harness.psql(5432, "drop table precious; create table wrong()")
        self.do(f"{stop}\n{sleep}\n{restore}{start}")
        self.assertEqual(harness.psql(5432, "select relname from pg_class where relname in ('precious', 'wrong')"), "precious")


class UpdateCase(PageCase):
    """There is no registry: where the page pulls an image, a new one takes its name."""

    version = 0

    def setUp(self):
        self.addCleanup(self.scope.engine_run, "rmi", "--force", IMAGE, check=False)
        super().setUp()
        self.pull()

    def pull(self):
        UpdateCase.version += 1
        recipe = f"FROM {harness.SERVERS}\nLABEL version={self.version}\n"
        self.scope.engine_run("build", "--quiet", "--tag", IMAGE, "-", input=recipe)

    def without_pull(self, block):
        lines = block.splitlines()
        self.assertIn(" pull", lines[0])
        return "\n".join(lines[1:])

    def create(self, *options):
        self.scope.sockwake("create", "-p", f"{PORT}:80", *options)
        self.assert_served()

    def assert_served(self):
        self.assertIn("nginx", harness.http(PORT))

    def image_of(self, *inspected):
        return self.scope.engine_run("inspect", *inspected).stdout.strip().removeprefix("sha256:")

    def assert_up_to_date(self, container, image=IMAGE):
        of_container = self.image_of("--type=container", "--format={{.Image}}", container)
        self.assertEqual(of_container, self.image_of("--type=image", "--format={{.Id}}", image))

    def assert_falls_asleep(self, name):
        harness.eventually(lambda: self.scope.state(f"{name}.service") == "inactive")


class Updates(UpdateCase):
    def test_a_container_of_the_command_line(self):
        *_, replace = blocks("updates.md", "sh")
        self.scope.container("web", "nginx", image=IMAGE, options=("--network=none",))
        self.create("web")
        self.pull()
        self.do(self.without_pull(replace).replace(IMAGE, f"{IMAGE} nginx"))
        self.assertEqual(self.scope.container_state("web"), "created")
        self.assert_served()
        self.assert_up_to_date("web")


class Compose(UpdateCase):
    scopes = (harness.SYSTEM_DOCKER,) if HAS_COMPOSE else ()

    def test_a_project(self):
        no_start, detached, stopped = [block for block in blocks("updates.md", "sh") if "compose" in block]
        with open(self.path("compose.yaml"), "w") as file:
            file.write(f'services: {{web: {{image: "{IMAGE}", container_name: web, network_mode: none, command: [nginx]}}}}')
        self.do("docker compose up --no-start")
        self.create("web", "--idle-timeout=1s")
        self.pull()
        self.do(self.without_pull(no_start))
        self.assertEqual(self.scope.container_state("web"), "created")
        self.assert_up_to_date("web")
        self.assert_served()
        self.assert_falls_asleep("web")

        up, attend = detached.splitlines()
        self.do(up)
        self.assertIn("running, unattended", self.scope.sockwake("list").stdout)
        self.do(attend)
        harness.eventually(lambda: self.scope.container_state("web") == "exited")

        for command in stopped.splitlines():
            self.do(command)
        self.assertEqual(self.scope.container_state("web"), "exited")


class AutoUpdate(UpdateCase):
    scopes = (harness.SYSTEM_PODMAN, harness.USER_PODMAN) if cells.HAS_QUADLET else ()

    def setUp(self):
        super().setUp()
        configuration = "/etc" if self.scope.is_system else f"{self.scope.home}/.config"
        self.quadlets = f"{configuration}/containers/systemd"
        self.units = f"{configuration}/systemd/{'system' if self.scope.is_system else 'user'}"

    def write(self, path, text):
        self.scope.run("mkdir", "-p", os.path.dirname(path))
        self.scope.run("tee", path, input=text)
        self.scope.systemctl("daemon-reload")
        self.addCleanup(self.scope.systemctl, "daemon-reload")
        self.addCleanup(os.unlink, path)

    def test_a_quadlet(self):
        [block] = [block for block in blocks("updates.md", "sh") if "auto-update" in block]
        quadlet = f"[Container]\nImage={IMAGE}\nContainerName=site\nNetwork=none\nExec=nginx\nAutoUpdate=local\n"
        self.write(f"{self.quadlets}/site.container", quadlet)
        self.create("--unit=site.service", "--backend=podman")

        # Awake.
        self.pull()
        self.assertIn("site.service", self.do(self.without_pull(block)).stdout)
        self.assert_served()
        self.assert_up_to_date("site")

        # Asleep: the wake itself takes the new image.
        self.scope.sockwake("sleep", "site-wake")
        self.pull()
        self.assertNotIn("site.service", self.do(self.without_pull(block)).stdout)
        self.assert_served()
        self.assert_up_to_date("site")

        # By the timer's service; the lab's own image is the new one.
        [drop_in] = blocks("updates.md", "ini")
        pulled = drop_in.replace(f"podman pull {IMAGE}", f"podman tag {harness.SERVERS} {IMAGE}")
        self.assertNotEqual(drop_in, pulled)
        self.write(f"{self.units}/podman-auto-update.service.d/pull.conf", pulled)
        self.scope.systemctl("start", "podman-auto-update.service")
        self.assert_served()
        self.assert_up_to_date("site", harness.SERVERS)
