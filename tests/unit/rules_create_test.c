/* What bodies of requests may ask for, and what rule each of it needs: in learning, and then strictly. */
#include "tests/unit/rules_fixture.h"

#include <fcntl.h>

/* The rules that this request lacks, one a line; "400" or "403" if no rule can allow it. */
static char *lacks(const char *rules, const struct play *plays, const char *path, const char *json)
{
	const struct rules_caller learning = {.owner = "me", .learn = true};
	_cleanup_free_ char *request = post(path, json);
	_cleanup_outcome_ struct outcome *o = ask_as(rules, &learning, plays, request, strlen(request));
	char *text = NULL;
	size_t len;
	FILE *f;

	if (o->status == 400 || o->status == 403 || o->status == 404) {
		assert_true(asprintf(&text, "%d", o->status) > 0);
		return text;
	}
	assert_int_equal(o->status, 200);
	f = open_memstream(&text, &len);
	rules_learned_print(&o->report, f);
	fclose(f);
	return text;
}

struct need {
	const char *json;
	const char *lacks;
};

static void check(const char *path, const char *action, const char *format_before, const char *format_after,
		  const struct need *needs, size_t n)
{
	char allow[128];

	snprintf(allow, sizeof(allow), "allow = %s volumes.create", action);
	for (size_t k = 0; k < n; k++) {
		_cleanup_free_ char *json = NULL, *got = NULL;

		assert_true(asprintf(&json, "%s%s%s", format_before, needs[k].json, format_after) > 0);
		got = lacks(allow, NULL, path, json);
		if (strcmp(got, needs[k].lacks) != 0)
			fail_msg("%s needs '%s', not '%s'", json, got, needs[k].lacks);
		/* With these rules it is allowed; without them it is not, and nothing reaches the engine. */
		if (needs[k].lacks[0] == '4')
			continue;
		for (unsigned granted = 0; granted < 2; granted++) {
			_cleanup_free_ char *rules = NULL, *request = post(path, json);
			_cleanup_outcome_ struct outcome *o = NULL;

			assert_true(asprintf(&rules, "%s\n%s", allow, granted ? needs[k].lacks : "") > 0);
			o = ask(rules, NULL, request);
			assert_int_equal(o->status, granted || !needs[k].lacks[0] ? 200 : 403);
			if (o->status == 403) {
				assert_non_null(strstr(o->answer, "to allow it, write '"));
				assert_null(strstr(o->fake.seen, "POST"));
			}
		}
	}
}

#define CHECK_HOST(needs)                                                                                              \
	check("/v1.41/containers/create", "containers.create", "{\"Image\":\"x\",\"HostConfig\":{", "}}", needs,       \
	      sizeof(needs) / sizeof((needs)[0]))

static void what_gives_the_host_away_needs_a_rule(void **state)
{
	static const struct need needs[] = {
		{"", ""},
		{"\"Privileged\":true", "privileged = yes\n"},
		{"\"Privileged\":false", ""},
		{"\"Privileged\":null", ""},
		{"\"CapAdd\":[\"NET_ADMIN\",\"cap_sys_admin\"]", "capability = NET_ADMIN\ncapability = SYS_ADMIN\n"},
		{"\"CapAdd\":[\"all\"]", "capability = ALL\n"},
		{"\"CapAdd\":[\"a b\"]", "403"},
		{"\"CapDrop\":[\"ALL\"]", ""},
		{"\"Devices\":[{\"PathOnHost\":\"/dev/kvm\",\"PathInContainer\":\"/dev/kvm\",\"CgroupPermissions\":\"rwm\"}]",
		 "device = /dev/kvm\n"},
		{"\"Devices\":[{\"PathOnHost\":\"/dev/../dev/kvm\"}]", "403"},
		{"\"Devices\":[{\"PathOnHost\":\"vendor.com/gpu=all\"}]", "403"},
		{"\"Devices\":[{\"PathOnHost\":\"/dev/kvm\",\"PathInContainer\":\"/dev/kvm:/dev/sda\"}]", "403"},
		{"\"Devices\":[]", ""},
		{"\"DeviceCgroupRules\":[\"a *:* rwm\"]", "device-rules = yes\n"},
		{"\"DeviceRequests\":[{\"Driver\":\"\",\"Count\":-1,\"DeviceIDs\":null,\"Capabilities\":[[\"gpu\"]],\"Options\":{}}]",
		 "gpus = yes\n"},
		{"\"PidMode\":\"host\"", "pid = host\n"},
		{"\"PidMode\":\"\"", ""},
		{"\"PidMode\":\"container:x\"", "pid = container\n"},
		{"\"PidMode\":\"ns:/proc/1/ns/pid\"", "403"},
		{"\"IpcMode\":\"host\"", "ipc = host\n"},
		{"\"IpcMode\":\"container:x\"", "ipc = container\n"},
		{"\"IpcMode\":\"private\"", ""},
		{"\"IpcMode\":\"shareable\"", ""},
		{"\"UTSMode\":\"host\"", "uts = host\n"},
		{"\"CgroupnsMode\":\"host\"", "cgroup-namespace = host\n"},
		{"\"CgroupnsMode\":\"private\"", ""},
		{"\"UsernsMode\":\"host\"", "user-namespace = host\n"},
		{"\"UsernsMode\":\"keep-id\"", "user-namespace = keep-id\n"},
		{"\"NetworkMode\":\"host\"", "network = host\n"},
		{"\"NetworkMode\":\"container:x\"", "network = container\n"},
		{"\"NetworkMode\":\"container:../x\"", "400"},
		{"\"NetworkMode\":\"ns:/proc/1/ns/net\"", "403"},
		{"\"NetworkMode\":\"slirp4netns:allow_host_loopback=true\"", "403"},
		{"\"NetworkMode\":\"container\"", "403"},
		{"\"NetworkMode\":\"prod\"", "network = prod\n"},
		{"\"NetworkMode\":\"default\"", ""},
		{"\"NetworkMode\":\"none\"", ""},
		{"\"Cgroup\":\"container:x\"", "403"},
		{"\"CgroupParent\":\"/system.slice\"", "cgroup-parent = /system.slice\n"},
		{"\"SecurityOpt\":[\"seccomp=unconfined\"]", "security-option = seccomp=unconfined\n"},
		{"\"SecurityOpt\":[\"apparmor:unconfined\"]", "security-option = apparmor=unconfined\n"},
		{"\"SecurityOpt\":[\"label:disable\"]", "security-option = label=disable\n"},
		{"\"SecurityOpt\":[\"seccomp={ \\\"defaultAction\\\": 1}\"]", "security-option = seccomp\n"},
		{"\"SecurityOpt\":[\"no-new-privileges\",\"no-new-privileges:true\"]", ""},
		{"\"MaskedPaths\":[]", "unmask = yes\n"},
		{"\"ReadonlyPaths\":[]", "unmask = yes\n"},
		{"\"MaskedPaths\":null,\"ReadonlyPaths\":null", ""},
		{"\"Annotations\":{\"run.oci.keep_original_groups\":\"1\"}",
		 "annotation = run.oci.keep_original_groups\n"},
		{"\"Annotations\":{\"a=b\":\"1\"}", "403"},
		{"\"Annotations\":{\"a\":1}", "400"},
		{"\"Annotations\":[\"a\"]", "400"},
		{"\"ConsoleSize\":[1,\"2\"]", "400"},
		{"\"ConsoleSize\":1", "400"},
		{"\"DeviceRequests\":[{\"Capabilities\":[\"gpu\"]}]", "400"},
		{"\"Devices\":{}", "400"},
		{"\"Devices\":[1]", "400"},
		{"\"PortBindings\":{\"80/tcp\":{}}", "400"},
		{"\"Sysctls\":{\"net.ipv4.ip_forward\":\"1\"}", "sysctl = net.ipv4.ip_forward\n"},
		{"\"Runtime\":\"kata\"", "runtime = kata\n"},
		{"\"GroupAdd\":[\"keep-groups\"]", "403"},
		{"\"GroupAdd\":[\"staff\"]", ""},
		{"\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"80\"}]}", "publish = yes\n"},
		{"\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"80\",\"X\":1}]}", "403"},
		{"\"PortBindings\":{\"80/tcp\":null}", "publish = yes\n"},
		{"\"PortBindings\":{}", ""},
		{"\"Links\":[\"a:b\"]", "403"},
		{"\"Links\":[]", ""},
		{"\"PublishAllPorts\":true", "publish = yes\n"},
		{"\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0}", "restart = always\n"},
		{"\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0}", ""},
		{"\"LogConfig\":{\"Type\":\"syslog\",\"Config\":{\"syslog-address\":\"x\"}}",
		 "log-option = syslog-address\nlog-driver = syslog\n"},
		{"\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"1m\"}}", ""},
		{"\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"env\":\"A\",\"labels-regex\":\".\",\"tag\":\"x\"}}",
		 ""},
		{"\"LogConfig\":{\"Type\":\"journald\",\"Config\":{\"max-size\":\"1m\"}}", ""},
		{"\"LogConfig\":{\"Type\":\"journald\",\"Config\":{\"env\":\"A\",\"env-regex\":\".\",\"labels\":\"B\",\"labels-regex\":\".\",\"tag\":\"x\"}}",
		 "log-option = env\nlog-option = env-regex\nlog-option = labels\nlog-option = labels-regex\nlog-option = tag\n"},
		{"\"LogConfig\":{\"Config\":{\"env\":\"A\"}}", "log-option = env\n"},
		{"\"LogConfig\":{\"Type\":\"\",\"Config\":{\"tag\":\"A\"}}", "log-option = tag\n"},
		{"\"LogConfig\":{\"Type\":null,\"Config\":{\"tag\":\"A\"}}", "log-option = tag\n"},
		{"\"LogConfig\":{\"Type\":\"gelf\",\"Config\":{\"tag\":\"A\"}}",
		 "log-driver = gelf\nlog-option = tag\n"},
		{"\"LogConfig\":{\"Type\":\"journald\",\"Config\":null}", ""},
		{"\"LogConfig\":{\"Type\":\"k8s-file\",\"Config\":{\"path\":\"/etc/passwd\"}}", "log-option = path\n"},
		{"\"LogConfig\":{\"Type\":\"k8s-file\",\"Config\":{\"max-size=1,path\":\"/x\"}}", "403"},
		{"\"OomScoreAdj\":-1000", "oom = yes\n"},
		{"\"OomScoreAdj\":500", ""},
		{"\"OomKillDisable\":true", "oom = yes\n"},
		{"\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":2}]", "ulimits = yes\n"},
		{"\"CpuRealtimeRuntime\":9", "realtime = yes\n"},
		{"\"StorageOpt\":{\"size\":\"1G\"}", "storage-options = yes\n"},
		{"\"ContainerIDFile\":\"/etc/passwd\"", ""},
		{"\"Isolation\":\"hyperv\"", "403"},
		{"\"Tmpfs\":{\"/run\":\"rw,size=64m\"}", ""},
		{"\"Tmpfs\":{\"/run\":\"size=64m,bind\"}", "403"},
		{"\"Tmpfs\":{\"/run:/etc\":\"\"}", "403"},
		{"\"Tmpfs\":{\"/run\":\"rw:/x\"}", "403"},
		{"\"Memory\":9223372036854771712,\"MemorySwap\":-1", ""},
		/* keys that are not known, or not written so */
		{"\"privileged\":true", "400"},
		{"\"PRIVILEGED\":true", "400"},
		{"\"Privileged\":false,\"privileged\":true", "400"},
		{"\"Privileged\":false,\"Privileged\":true", "400"},
		{"\"Privileged\":\"true\"", "400"},
		{"\"Privileged\":1", "400"},
		{"\"Bind\xc5\xbf\":[\"/:/h\"]", "403"}, /* U+017F folds to "s" */
		{"\"\xe2\x84\xaa"
		 "ernelMemory\":1",
		 "403"}, /* U+212A folds to "k" */
		{"\"Capabilities\":[\"ALL\"]", "403"},
		{"\"Unknown\":null", "403"},
		{"\"Binds\":\"/:/h\"", "400"},
		{"\"Binds\":[null]", "400"},
		{"\"PidMode\":[\"host\"]", "400"},
	};

	(void)state;
	CHECK_HOST(needs);
}

static void the_files_of_the_host_need_a_rule(void **state)
{
	static const struct need needs[] = {
		{"\"Binds\":[\"/srv:/x\"]", "bind = /srv\n"},
		{"\"Binds\":[\"/srv:/x:rw,z\"]", "bind = /srv\n"},
		{"\"Binds\":[\"/srv:/x:ro\"]", "bind-read-only = /srv\n"},
		{"\"Binds\":[\"/srv:/x:ro,rw\"]", "bind = /srv\n"},
		{"\"Binds\":[\"/srv:/x:ro,Z\"]", "bind = /srv\n"},
		{"\"Binds\":[\"/:/x:ro\"]", "bind-read-only = /\n"},
		{"\"Binds\":[\"/srv:/x:rw,rshared\"]", "propagation = rshared\nbind = /srv\n"},
		{"\"Binds\":[\"/srv:/x:U\"]", "403"},
		{"\"Binds\":[\"/srv:/x:O,upperdir=/etc\"]", "403"},
		{"\"Binds\":[\"/srv:/x:ro:rw\"]", "403"},
		{"\"Binds\":[\"/srv/../etc:/x\"]", "403"},
		{"\"Binds\":[\"/srv/.:/x\"]", "403"},
		{"\"Binds\":[\"/.:/x\"]", "403"},
		{"\"Binds\":[\"/*:/x\"]", "403"},
		{"\"Binds\":[\"/a:/x\"]", "bind = /a\n"},
		{"\"Binds\":[\"/srv/:/x\"]", "403"},
		{"\"Binds\":[\"//srv:/x\"]", "403"},
		{"\"Binds\":[\"./srv:/x\"]", "403"},
		{"\"Binds\":[\"../../etc:/x\"]", "403"},
		{"\"Binds\":[\"/srv:x\"]", "403"},
		{"\"Binds\":[\"srv\"]", "403"},
		{"\"Binds\":[\"/x\"]", ""},
		{"\"Binds\":[\"data:/x\"]", "volume = data\n"},
		{"\"VolumesFrom\":[\"db:ro\"]", "volumes-from = yes\n"},
		{"\"VolumesFrom\":[\"db:rw,z\"]", "403"},
		{"\"VolumesFrom\":[]", ""},
		{"\"VolumeDriver\":\"plugin\"", "volume-driver = plugin\n"},
		{"\"VolumeDriver\":\"local\"", ""},
		{"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv\",\"Target\":\"/x\"}]", "bind = /srv\n"},
		{"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv\",\"Target\":\"/x\",\"ReadOnly\":true}]",
		 "bind-read-only = /srv\n"},
		{"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv\",\"Target\":\"/x\",\"ReadOnly\":true,"
		 "\"BindOptions\":{\"ReadOnlyNonRecursive\":true}}]",
		 "bind = /srv\n"},
		{"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv\",\"Target\":\"/x\",\"BindOptions\":{\"Propagation\":\"shared\"}}]",
		 "propagation = shared\nbind = /srv\n"},
		{"\"Mounts\":[{\"Type\":\"Bind\",\"Source\":\"/srv\",\"Target\":\"/x\"}]", "403"},
		{"\"Mounts\":[{\"Source\":\"/srv\",\"Target\":\"/x\"}]", "403"},
		{"\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/x\"}]", ""},
		{"\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"data\",\"Target\":\"/x\"}]", "volume = data\n"},
		{"\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"/etc\",\"Target\":\"/x\"}]", "403"},
		{"\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/x\",\"VolumeOptions\":{\"DriverConfig\":{\"Name\":\"local\","
		 "\"Options\":{\"type\":\"none\",\"o\":\"bind\",\"device\":\"/srv\"}}}}]",
		 "bind = /srv\n"},
		{"\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/x\",\"VolumeOptions\":{\"DriverConfig\":{\"Options\":"
		 "{\"type\":\"overlay\",\"o\":\"lowerdir=/etc\",\"device\":\"overlay\"}}}}]",
		 "volume-options = yes\n"},
		{"\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/x\",\"VolumeOptions\":{\"DriverConfig\":{\"Name\":\"plugin\"}}}]",
		 "volume-driver = plugin\n"},
		{"\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/x\",\"TmpfsOptions\":{\"SizeBytes\":4096,\"Mode\":448}}]",
		 ""},
		/* Podman composes "type=tmpfs,target=…". */
		{"\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/x,type=bind,source=/etc\"}]", "403"},
		{"\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/x\",\"Source\":\"/etc\"}]", "403"},
		{"\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/x\",\"Consistency\":\"default,source=/etc\"}]", "403"},
		{"\"Mounts\":[{\"Type\":\"npipe\",\"Source\":\"x\",\"Target\":\"/x\"}]", "403"},
		{"\"Mounts\":[{\"Type\":\"bind\",\"type\":\"bind\",\"Target\":\"/x\"}]", "400"},
		{"\"Mounts\":[{\"Type\":\"image\",\"Source\":\"x\",\"Target\":\"/x\"}]", "403"},
	};

	(void)state;
	CHECK_HOST(needs);
}

static void the_rest_of_a_container_is_checked(void **state)
{
	static const struct need needs[] = {
		{"", ""},
		{",\"Cmd\":[\"sh\"],\"Entrypoint\":\"x\",\"Env\":[\"A=b\"],\"Tty\":true,\"Labels\":{\"a\":\"b\"}", ""},
		{",\"Volumes\":{\"/data\":{}}", ""},
		/* Podman takes it for a bind. */
		{",\"Volumes\":{\"/:/host\":{}}", "403"},
		{",\"Volumes\":{\"data:/host\":{}}", "403"},
		{",\"Volumes\":{\"\":{}}", "403"},
		{",\"Volumes\":{\"/data\":{\"x\":1}}", "400"},
		/* Podman takes it from its own environment. */
		{",\"Env\":[\"*\"]", "403"},
		{",\"Labels\":{\"team=ci\":\"x\"}", "403"},
		{",\"Labels\":{\"\":\"x\"}", "403"},
		/* Podman acts on these. */
		{",\"Labels\":{\"PODMAN_SYSTEMD_UNIT\":\"sshd.service\"}", "403"},
		{",\"Labels\":{\"io.containers.autoupdate\":\"local\"}", "403"},
		{",\"Labels\":{\"io.podman.x\":\"y\"}", "403"},
		/* sockwake does, as root. */
		{",\"Labels\":{\"sockwake.made-for\":\"x\"}", "403"},
		{",\"Labels\":{\"sockwake.publish\":\"80:80\"}", "403"},
		{",\"Labels\":{\"sockwake\":\"y\"}", ""},
		{",\"Runtime\":null", ""},
		{",\"OnBuild\":[\"RUN x\"]", "403"},
		{",\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":1000000}", ""},
		{",\"Name\":\"x\"", "403"},
		{",\"EnvMerge\":[\"x\"]", "403"},
		{",\"hostconfig\":{\"Privileged\":true}", "400"},
		{",\"HostConfig\":{},\"HostConfig\":{}", "400"},
		{",\"HostConfig\":[]", "400"},
		{",\"NetworkingConfig\":{\"EndpointsConfig\":{\"prod\":{\"Aliases\":[\"a\"]}}}", "network = prod\n"},
		{",\"NetworkingConfig\":{\"EndpointsConfig\":{\"host\":{}}}", "network = host\n"},
		{",\"NetworkingConfig\":{\"EndpointsConfig\":{\"default\":null,\"bridge\":{}}}", ""},
		{",\"NetworkingConfig\":{\"EndpointsConfig\":{\"\":{}}}", "403"},
		{",\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{\"DriverOpts\":{\"a\":\"b\"}}}}",
		 "network-options = yes\n"},
	};

	(void)state;
	check("/containers/create?name=a", "containers.create", "{\"Image\":\"x\"", "}", needs,
	      sizeof(needs) / sizeof(needs[0]));
}

static void labels_have_a_limit(void **state)
{
	static const struct need cases[] = {{"16382", ""}, {"16383", "403"}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_free_ char *json = NULL, *got = NULL;

		assert_true(asprintf(&json, "{\"Image\":\"x\",\"Labels\":{\"a\":\"%0*d\",\"b\":\"\"}}",
				     atoi(cases[k].json), 0) > 0);
		got = lacks("allow = containers.create", NULL, "/containers/create", json);
		assert_string_equal(got, cases[k].lacks);
	}
}

#define IMAGE_LABELS(labels) "200 OK\n{\"Id\":\"x\",\"Config\":{\"Labels\":" labels "}}"

/* A container takes them from it, whoever has built it. */
static void no_image_brings_labels_that_root_acts_on(void **state)
{
	static const struct play plays[] = {
		{"GET /images/publishes/json", IMAGE_LABELS("{\"a\":\"b\",\"sockwake.publish\":\"80:80\"}"), false},
		{"GET /images/unit/json", IMAGE_LABELS("{\"PODMAN_SYSTEMD_UNIT\":\"sshd.service\"}"), false},
		{"GET /images/plain/json", IMAGE_LABELS("{\"a\":\"b\"}"), false},
		{"GET /images/bare/json", IMAGE_LABELS("null"), false},
		{"GET /images/", "404 Not Found\n{}", false},
		{NULL, NULL, false},
	};
	static const char *const rules[] = {"allow = containers.create", "label = team=ci\nallow = containers.create"};
	static const struct need needs[] = {
		{"publishes", "403"}, {"unit", "403"}, {"plain", ""}, {"bare", ""}, {"missing", ""},
	};

	(void)state;
	for (size_t k = 0; k < 2 * sizeof(needs) / sizeof(needs[0]); k++) {
		const struct need *n = &needs[k / 2];
		_cleanup_free_ char *json = NULL, *got = NULL;

		assert_true(asprintf(&json, "{\"Image\":\"%s\"}", n->json) > 0);
		got = lacks(rules[k % 2], plays, "/containers/create", json);
		assert_string_equal(got, n->lacks);
	}
}

static void other_bodies_are_checked(void **state)
{
	static const struct {
		const char *path, *action, *json, *lacks;
	} cases[] = {
		{"/volumes/create", "volumes.create", "{\"Name\":\"a\"}", ""},
		{"/volumes/create", "volumes.create", "{}", ""},
		{"/volumes/create", "volumes.create", "{\"DriverOpts\":{}}", ""},
		{"/volumes/create", "volumes.create", "{\"DriverOpts\":null}", ""},
		{"/volumes/create", "volumes.create",
		 "{\"Name\":\"a\",\"Driver\":\"local\",\"DriverOpts\":{\"type\":\"none\",\"o\":\"bind\",\"device\":\"/\"}}",
		 "bind = /\n"},
		{"/volumes/create", "volumes.create",
		 "{\"DriverOpts\":{\"type\":\"none\",\"o\":\"rbind\",\"device\":\"/srv\"}}", "bind = /srv\n"},
		{"/volumes/create", "volumes.create",
		 "{\"DriverOpts\":{\"type\":\"none\",\"o\":\"bind,ro\",\"device\":\"/srv\"}}",
		 "bind-read-only = /srv\n"},
		{"/volumes/create", "volumes.create",
		 "{\"DriverOpts\":{\"type\":\"none\",\"o\":\"bind\",\"device\":\"/srv/..\"}}", "403"},
		{"/volumes/create", "volumes.create", "{\"DriverOpts\":{\"type\":\"ext4\",\"device\":\"/dev/sda\"}}",
		 "volume-options = yes\n"},
		{"/volumes/create", "volumes.create",
		 "{\"DriverOpts\":{\"type\":\"nfs\",\"o\":\"addr=x\",\"device\":\":/\"}}", "volume-options = yes\n"},
		{"/volumes/create", "volumes.create",
		 "{\"DriverOpts\":{\"type\":\"tmpfs\",\"device\":\"tmpfs\",\"o\":\"size=1m,uid=1000\"}}", ""},
		/* It would be the directory /tmpfs of the host. */
		{"/volumes/create", "volumes.create",
		 "{\"DriverOpts\":{\"type\":\"tmpfs\",\"device\":\"tmpfs\",\"o\":\"size=1m,bind\"}}",
		 "volume-options = yes\n"},
		{"/volumes/create", "volumes.create", "{\"DriverOpts\":{\"Device\":\"/\"}}", "volume-options = yes\n"},
		{"/volumes/create", "volumes.create", "{\"driveropts\":{}}", "400"},
		{"/volumes/create", "volumes.create", "{\"Name\":\"../a\"}", "403"},
		{"/volumes/create", "volumes.create", "{\"Driver\":\"plugin\"}", "volume-driver = plugin\n"},
		{"/networks/create", "networks.create", "{\"Name\":\"a\",\"Driver\":\"bridge\",\"Options\":{}}", ""},
		{"/networks/create", "networks.create",
		 "{\"Name\":\"a\",\"Driver\":\"macvlan\",\"Options\":{\"parent\":\"eth0\"}}",
		 "network-driver = macvlan\nnetwork-options = yes\n"},
		{"/networks/create", "networks.create", "{\"Name\":\"a\",\"ConfigFrom\":{\"Network\":\"x\"}}", "403"},
		{"/networks/create", "networks.create", "{\"Name\":\"a\",\"ConfigFrom\":{\"Network\":\"\"}}", ""},
		{"/networks/create", "networks.create",
		 "{\"Name\":\"a\",\"IPAM\":{\"Driver\":\"default\",\"Config\":[]}}", ""},
		{"/networks/create", "networks.create",
		 "{\"Name\":\"a\",\"IPAM\":{\"Driver\":\"default\",\"Config\":[{\"Subnet\":\"10.0.0.0/24\"}]}}",
		 "network-options = yes\n"},
		{"/networks/prod/connect", "networks.connect", "{\"Container\":\"a\",\"EndpointConfig\":{}}",
		 "network = prod\n"},
		{"/networks/bridge/connect", "networks.connect", "{\"Container\":\"a\"}", ""},
		{"/networks/host/connect", "networks.connect", "{\"Container\":\"a\"}", "network = host\n"},
		{"/networks/prod/connect", "networks.connect", "{\"Container\":\"../a\"}", "400"},
		{"/networks/prod/disconnect", "networks.disconnect", "{\"Container\":\"a\",\"Force\":true}",
		 "network = prod\n"},
		{"/containers/a/update", "containers.update", "{\"Memory\":1000}", ""},
		{"/containers/a/update", "containers.update", "{\"RestartPolicy\":{\"Name\":\"always\"}}",
		 "restart = always\n"},
		{"/containers/a/update", "containers.update", "{\"Devices\":[{\"PathOnHost\":\"/dev/sda\"}]}",
		 "device = /dev/sda\n"},
		{"/commit?container=a", "images.commit", "{\"Cmd\":[\"sh\"]}", ""},
		{"/containers/create", "containers.create", "{\"Image\":\"localhost:5000/a/b:c@sha256:d\"}", ""},
		/* Podman reads it from there. */
		{"/containers/create", "containers.create", "{\"Image\":\"docker-archive:/x\"}", "403"},
		{"/containers/create", "containers.create", "{\"Image\":\"oci:x\"}", "403"},
		{"/containers/create", "containers.create", "{\"Image\":\"-x\"}", "403"},
		{"/containers/create", "containers.create", "{\"Image\":\"a b\"}", "403"},
		{"/commit?container=a", "images.commit", "null", ""},
		{"/commit?container=a", "images.commit", "{\"HostConfig\":{}}", "403"},
		{"/auth", "system.auth", "{\"username\":\"a\",\"password\":\"b\",\"serveraddress\":\"c\"}", ""},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct need need = {cases[k].json, cases[k].lacks};

		check(cases[k].path, cases[k].action, "", "", &need, 1);
	}
}

/* What the longest value of each kind needs. One that is longer is refused. */
static void values_have_limits(void **state)
{
	static const struct {
		const char *path, *before, *filler, *after;
		size_t max;
		const char *lacks, *longer;
	} cases[] = {
		{"/containers/create", "{\"HostConfig\":{\"Binds\":[\"/srv:/", "x", "\"]}}", 4095 - 6, "bind = /srv\n",
		 "403"},
		{"/containers/create", "{\"HostConfig\":{\"Binds\":[\"/srv:/x:", "z", "\"]}}", 127, "bind = /srv\n",
		 "403"},
		{"/volumes/create", "{\"DriverOpts\":{\"type\":\"tmpfs\",\"device\":\"tmpfs\",\"o\":\"size=", "1",
		 "\"}}", 255 - 5, "", "volume-options = yes\n"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		for (size_t len = cases[k].max; len <= cases[k].max + 1; len++) {
			_cleanup_free_ char *json = NULL, *got = NULL, *filler = malloc(len + 1);

			assert_non_null(filler);
			memset(filler, cases[k].filler[0], len);
			filler[len] = '\0';
			for (size_t n = 1; cases[k].filler[0] == 'z' && n < len - 1; n += 2)
				filler[n] = ','; /* "z,z,z", and below "z,ro" */
			if (cases[k].filler[0] == 'z' && len % 2 == 0)
				memcpy(filler + len - 2, "ro", 2);
			assert_true(asprintf(&json, "%s%s%s", cases[k].before, filler, cases[k].after) > 0);
			got = lacks("allow = containers.create volumes.create", NULL, cases[k].path, json);
			if (strcmp(got, len > cases[k].max ? cases[k].longer : cases[k].lacks) != 0)
				fail_msg("%zu characters in %s need %s", len, json, got);
		}
	}
}

static void a_link_below_an_allowed_directory_is_not_followed(void **state)
{
	char directory[] = "/tmp/rules-XXXXXX", path[64];
	static const struct {
		const char *name;
		int status;
	} cases[] = {{"real", 200}, {"link", 403}, {"missing", 403}, {"link/etc", 403}, {"*", 403}};

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/real", directory);
	close(creat(path, 0600));
	snprintf(path, sizeof(path), "%s/*", directory); /* as the rule is written */
	assert_int_equal(symlink("/", path), 0);
	snprintf(path, sizeof(path), "%s/link", directory);
	assert_int_equal(symlink("/", path), 0);
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_free_ char *rules = NULL, *json = NULL, *request = NULL;
		_cleanup_outcome_ struct outcome *o = NULL;

		assert_true(asprintf(&rules, "allow = containers.create\nbind = %s/*", directory) > 0);
		assert_true(asprintf(&json, "{\"HostConfig\":{\"Binds\":[\"%s/%s:/x\"]}}", directory, cases[k].name) >
			    0);
		request = post("/containers/create", json);
		o = ask(rules, NULL, request);
		if (o->status != cases[k].status)
			fail_msg("%s: %d", cases[k].name, o->status);
	}
	unlink(path);
	snprintf(path, sizeof(path), "%s/real", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/*", directory);
	unlink(path);
	assert_int_equal(rmdir(directory), 0);
}

static void the_parsed_form_is_sent(void **state)
{
	_cleanup_free_ char *request =
		post("/v1.41/containers/create?name=a",
		     " { \"Image\" : \"\\u0078\", \"HostConfig\":{\"ContainerIDFile\":\"/y\"} } ");
	_cleanup_outcome_ struct outcome *o = ask("allow = containers.create", NULL, request);

	(void)state;
	assert_int_equal(o->status, 200);
	assert_non_null(strstr(o->fake.seen, "POST /v1.41/containers/create?name=a HTTP/1.1\r\n"));
	assert_non_null(
		strstr(o->fake.seen, "\r\n\r\n{\"Image\":\"x\",\"HostConfig\":{\"ContainerIDFile\":\"\"}}\n===="));
}

/* `n` volumes to bind, which the engine would be asked about. */
static char *binds(unsigned n)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("{\"HostConfig\":{\"VolumesFrom\":[\"a\"],\"Binds\":[\"/x\"", f);
	for (unsigned k = 1; k < n; k++)
		fputs(",\"/x\"", f);
	fputs("]}}", f);
	fclose(f);
	return text;
}

static void the_number_of_references_is_limited(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		_cleanup_free_ char *json = binds(199 + k), *request = post("/containers/create", json);
		_cleanup_outcome_ struct outcome *o =
			ask("label = a=b\nallow = containers.create\nvolumes-from = yes", NULL, request);

		assert_int_equal(o->status, k ? 400 : 503); /* the engine was asked about 'a' */
		assert_int_equal(o->fake.connections > 0, !k);
	}
}

static void volumes_of_another_container_stay_as_they_are_there(void **state)
{
	_cleanup_free_ char *request =
		post("/containers/create", "{\"HostConfig\":{\"VolumesFrom\":[\"a:rw\",\"b:ro\",\"c\"]}}");
	_cleanup_outcome_ struct outcome *o = ask("allow = containers.create\nvolumes-from = yes", NULL, request);

	(void)state;
	assert_non_null(strstr(o->fake.seen, "[\"a\",\"b:ro\",\"c\"]"));
}

/* Podman's answer about a container with one bind. */
#define PODMANS(name, source, writable)                                                                                \
	{                                                                                                              \
		"GET /containers/" name "/json",                                                                       \
			"HTTP/1.1 200 OK\r\nLibpod-Api-Version: 5.4.2\r\n\r\n{\"Id\":\"x\",\"Mounts\":["               \
			"{\"Type\":\"volume\",\"RW\":false},{\"Type\":\"bind\",\"Source\":\"" source                   \
			"\",\"RW\":" writable "}]}",                                                                   \
			false                                                                                          \
	}

static void podman_copies_nothing_into_what_is_read_only(void **state)
{
	static const struct play plays[] = {
		PODMANS("ro", "/srv", "false"),
		PODMANS("rw", "/srv", "true"),
		PODMANS("granted", "/data", "false"),
		{"GET /containers/from/json",
		 "HTTP/1.1 200 OK\r\nLibpod-Api-Version: 5.4.2\r\n\r\n"
		 "{\"Mounts\":[],\"HostConfig\":{\"VolumesFrom\":[\"ro\"]}}",
		 false},
		{"GET /containers/odd/json", "HTTP/1.1 200 OK\r\nLibpod-Api-Version: 5.4.2\r\n\r\n{}", false},
		{"GET /containers/docker/json", "200 OK\n{\"Mounts\":[{\"Type\":\"bind\",\"RW\":false}]}", false},
		{"GET /containers/none/json", "404 Not Found\n{}", false},
		{NULL, NULL, false},
	};
	static const struct {
		const char *name;
		int status;
	} cases[] = {{"ro", 403},  {"rw", 200},	    {"granted", 200}, {"from", 403},
		     {"odd", 503}, {"docker", 200}, {"none", 200}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_free_ char *request = NULL;
		_cleanup_outcome_ struct outcome *o = NULL;

		assert_true(asprintf(&request,
				     "PUT /containers/%s/archive?path=/ HTTP/1.1\r\nHost: docker\r\n"
				     "Content-Length: 1\r\n\r\nx",
				     cases[k].name) > 0);
		o = ask("allow = containers.copy-to\nbind = /data", plays, request);
		if (o->status != cases[k].status)
			fail_msg("%s: %s", cases[k].name, o->answer);
		assert_int_equal(strstr(o->fake.seen, "PUT") != NULL, cases[k].status == 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(podman_copies_nothing_into_what_is_read_only),
		cmocka_unit_test(the_number_of_references_is_limited),
		cmocka_unit_test(volumes_of_another_container_stay_as_they_are_there),
		cmocka_unit_test(what_gives_the_host_away_needs_a_rule),
		cmocka_unit_test(the_files_of_the_host_need_a_rule),
		cmocka_unit_test(the_rest_of_a_container_is_checked),
		cmocka_unit_test(labels_have_a_limit),
		cmocka_unit_test(no_image_brings_labels_that_root_acts_on),
		cmocka_unit_test(other_bodies_are_checked),
		cmocka_unit_test(values_have_limits),
		cmocka_unit_test(a_link_below_an_allowed_directory_is_not_followed),
		cmocka_unit_test(the_parsed_form_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
