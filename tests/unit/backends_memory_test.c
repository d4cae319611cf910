/* What is told when memory runs out while an engine's answer is read, or a request is written. */
#include "tests/unit/memory_fixture.h"

#include "backends/backend.h"
#include "backends/docker/reply.h"
#include "backends/keep.h"
#include "backends/make.h"
#include "backends/podman/anchor.h"
#include "backends/podman/reply.h"
#include "backends/volumes.h"
#include "common/cleanup.h"

#define ID64 "2949c6c31c30d3a08329b19441bcb2825a7366f146b46bce911f161ad49e165e"

#define REST                                                                                                           \
	"\"State\":{\"Status\":\"running\",\"Pid\":7},\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":"    \
	"\"1\"},{\"HostPort\":\"2\"}]}},\"Config\":{\"Labels\":{\"sockwake.a\":\"1\",\"sockwake.b\":\"2\"},"           \
	"\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"]}},\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"v\",\"Source\":"   \
	"\"/v\",\"Driver\":\"local\"},{\"Type\":\"bind\",\"Source\":\"/b\"}]"

static bool reads_inspection(bool (*parse)(const char *text, size_t len, struct container *ret), const char *text)
{
	_cleanup_container_ struct container c = {};
	bool ok = parse(text, strlen(text), &c);

	if (ok) {
		assert_int_equal(c.n_ports, 2);
		assert_int_equal(c.n_labels, 2);
		assert_string_equal(container_label(&c, "sockwake.b"), "2");
		assert_string_equal(c.health_test[1], "true");
		assert_int_equal(c.n_mounts, 2);
		assert_string_equal(c.mounts[0].name, "v");
		assert_string_equal(c.mounted[1], "/b");
	}
	return ok;
}

static bool reads_dockers(void)
{
	return reads_inspection(docker_parse_inspect, "{\"Id\":\"" ID64 "\",\"Name\":\"/x\"," REST "}");
}

static bool reads_podmans(void)
{
	return reads_inspection(podman_parse_inspect, "{\"Id\":\"" ID64 "\",\"Name\":\"x\"," REST "}");
}

static void inspections(void **state)
{
	(void)state;
	memory_each(reads_dockers, 60);
	memory_each(reads_podmans, 60);
}

/* An item that lacks something says so. */
static bool reads_list(bool (*parse)(const char *text, size_t len, struct container_list *ret), const char *text)
{
	_cleanup_container_list_ struct container_list l = {};
	bool ok = parse(text, strlen(text), &l);

	if (!ok || l.n != 2 || l.items[0].unreadable || l.items[1].unreadable)
		return false;
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(l.items[k].n_labels, 1);
		assert_int_equal(l.items[k].n_ports, 1);
	}
	return true;
}

#define DOCKERS(name)                                                                                                  \
	"{\"Id\":\"" ID64 "\",\"Names\":[\"/" name                                                                     \
	"\"],\"Labels\":{\"sockwake.a\":\"1\"},\"Ports\":[{\"PrivatePort\":80,"                                        \
	"\"PublicPort\":80,\"Type\":\"tcp\"}]}"
#define PODMANS(name)                                                                                                  \
	"{\"Id\":\"" ID64 "\",\"Names\":[\"" name                                                                      \
	"\"],\"Labels\":{\"sockwake.a\":\"1\"},\"Ports\":[{\"host_ip\":\"\","                                          \
	"\"container_port\":80,\"host_port\":80,\"range\":1,\"protocol\":\"tcp\"}]}"

static bool reads_dockers_list(void)
{
	return reads_list(docker_parse_list, "[" DOCKERS("a") "," DOCKERS("b") "]");
}

static bool reads_podmans_list(void)
{
	return reads_list(podman_parse_list, "[" PODMANS("a") "," PODMANS("b") "]");
}

static void lists(void **state)
{
	(void)state;
	memory_each(reads_dockers_list, 30);
	memory_each(reads_podmans_list, 30);
}

static bool reads_image(void)
{
	static const char text[] = "{\"Id\":\"" ID64 "\",\"Config\":{\"Volumes\":{\"/a\":{},\"/b\":{}}}}";
	struct image i = {};
	bool ok = image_parse(text, strlen(text), &i);

	if (ok) {
		assert_int_equal(i.n_volumes, 2);
		assert_string_equal(i.volumes[1], "/b");
	}
	image_clear(&i);
	return ok;
}

static bool writes_container(void)
{
	struct made_container o = {
		.image = (char[]){"x"},
		.environment = (char *[]){(char[]){"A=b"}, NULL},
		.volumes = (char *[]){(char[]){"v:/v"}, NULL},
		.network = (char[]){"none"},
		.command = (char *[]){(char[]){"sh"}, NULL},
	};
	_cleanup_free_ char *text = made_container_to_json(&o, "web", "x:1", "1");

	if (text)
		assert_string_equal(
			text,
			"{\"Labels\":{\"sockwake.made-for\":\"web\",\"sockwake.made-of\":\"1\",\"sockwake.made-as\":\"77999ad406c1a13d\"},"
			"\"HostConfig\":{\"Binds\":[\"v:/v\"],\"NetworkMode\":\"none\"},\"Image\":\"x:1\","
			"\"StopTimeout\":10,\"Env\":[\"A=b\"],\"Cmd\":[\"sh\"]}");
	return text;
}

static bool writes_small_container(void)
{
	struct made_container o = {.image = (char[]){"x"}};
	_cleanup_free_ char *text = made_container_to_json(&o, "web", "x", "1");

	if (text)
		assert_non_null(strstr(text, "\"HostConfig\":{}"));
	return text;
}

static bool writes_exec(void)
{
	char *test[] = {(char[]){"CMD-SHELL"}, (char[]){"true"}, NULL};
	_cleanup_free_ char *text = docker_format_exec(test);

	if (text)
		assert_string_equal(text, "{\"Cmd\":[\"/bin/sh\",\"-c\",\"true\"],\"AttachStdout\":true,"
					  "\"AttachStderr\":true}");
	return text;
}

static bool writes_pod(void)
{
	_cleanup_free_ char *text = podman_format_pod("x");

	if (text)
		assert_string_equal(text, "{\"labels\":{\"sockwake.keeps\":\"x\"},\"name\":\"sockwake-x-keep-pod\","
					  "\"no_infra\":true,\"share_parent\":false}");
	return text;
}

static bool writes_anchor(void)
{
	_cleanup_free_ char *text = podman_format_anchor("x", "i:1", (const char *const[]){"v", "w", NULL});

	if (text)
		assert_string_equal(
			text,
			"{\"entrypoint\":[\"/never-started/it-keeps-the-image-and-volumes-of-a-sleeping-container\"],"
			"\"netns\":{\"nsmode\":\"none\"},\"labels\":{\"sockwake.keeps\":\"x\"},"
			"\"name\":\"sockwake-x-keep\",\"pod\":\"sockwake-x-keep-pod\",\"image\":\"i:1\","
			"\"image_volume_mode\":\"ignore\",\"volumes\":[{\"Name\":\"v\",\"Dest\":\"/keep/0\"},"
			"{\"Name\":\"w\",\"Dest\":\"/keep/1\"}]}");
	return text;
}

static void what_is_made(void **state)
{
	(void)state;
	memory_each(reads_image, 10);
	memory_each(writes_container, 20);
	memory_each(writes_small_container, 10);
	memory_each(writes_exec, 10);
	memory_each(writes_pod, 10);
	memory_each(writes_anchor, 30);
}

static char record[] = "/tmp/sockwake-memory-XXXXXX";

static bool adds_volumes(void)
{
	_cleanup_volumes_ struct volumes v = {};
	struct error err = {};
	int r = 0;

	for (int k = 0; k < 2 && r == 0; k++)
		r = volumes_add(&v, "name", "/", &err);
	assert_int_equal(r < 0, err.code == ENOMEM);
	if (r == 0)
		r = volumes_write(record, &v, &err);
	assert_int_equal(r < 0, err.code == ENOMEM);
	return r == 0;
}

static bool reads_volumes(void)
{
	_cleanup_volumes_ struct volumes v = {};
	struct error err = {};
	int r = volumes_read(record, &v, &err);

	assert_int_equal(r < 0, err.text[0] != '\0');
	if (r == 0) {
		assert_int_equal(v.n, 2);
		assert_string_equal(v.items[1].name, "name");
	}
	return r == 0;
}

static char *mount_name;

/* Nothing of it is kept by an engine that keeps nothing. */
static bool remembers(void)
{
	struct container_mount mount = {.name = mount_name, .source = (char[]){"/"}, .is_local = true};
	struct container c = {.name = "x", .mounts = &mount, .n_mounts = 1};
	static const struct backend none = {};
	struct engine e = {.backend = &none};
	struct error err = {};
	int r;

	unlink(record); /* of one that cannot be read nothing is told */
	r = volumes_remember(&e, record, &c, false, &err);
	assert_int_equal(r < 0, err.text[0] != '\0');
	return r == 0;
}

static void volumes(void **state)
{
	int fd = mkstemp(record);

	(void)state;
	assert_true(fd >= 0 && close(fd) == 0);
	memory_each(adds_volumes, 5);
	memory_each(reads_volumes, 5);
	mount_name = (char[]){"another"};
	memory_each(remembers, 2);
	unlink(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inspections),
		cmocka_unit_test(lists),
		cmocka_unit_test(what_is_made),
		cmocka_unit_test(volumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
