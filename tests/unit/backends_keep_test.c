/* What is remembered, and kept, of a container that sleeps. The engine is a fake. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <errno.h>

#include "backends/engine.h"
#include "backends/keep.h"
#include "common/clock.h"
#include "instance/made_container.h"
#include "tests/unit/engine_fixture.h"

#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers" /* literals, where the program would own strings */

#define ID64  "2949c6c31c30d3a08329b19441bcb2825a7366f146b46bce911f161ad49e165e"
#define OTHER "131ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"

#define BODY(status, json)  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" json
#define REPLY(status, json) SAY_THEN(BODY(status, json), CLOSE)

#define EXISTS	  REPLY("204 No Content", "")
#define NO_VOLUME REPLY("404 Not Found", "{\"message\":\"no such volume\"}")
#define NO_POD	  REPLY("404 Not Found", "{\"message\":\"no such pod\"}")
#define OUR_POD	  REPLY("200 OK", "{\"Labels\":{\"sockwake.keeps\":\"x\"}}")
#define MADE	  REPLY("201 Created", "{}")
#define FAILS	  REPLY("500 Error", "{\"message\":\"will not\"}")
#define NO_ANCHOR REPLY("404 Not Found", "{\"message\":\"no such container\"}")
#define ANCHOR(mounts)                                                                                                 \
	REPLY("200 OK",                                                                                                \
	      "{\"Id\":\"" ID64 "\",\"Name\":\"sockwake-x-keep\",\"State\":{\"Status\":\"created\",\"Pid\":0},"        \
	      "\"HostConfig\":{},\"Config\":{},\"Image\":\"" OTHER "\",\"Mounts\":[" mounts "]}")

/* /tmp may be in memory, of which nothing is remembered. */
static char directory[PATH_MAX], record[PATH_MAX + 16], data[2][PATH_MAX + 16];

static int setup(void **state)
{
	(void)state;
	if (!realpath("build", directory))
		return -1;
	strcat(directory, "/keep-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(record, sizeof(record), "%s/record", directory);
	for (unsigned k = 0; k < 2; k++) {
		snprintf(data[k], sizeof(data[k]), "%s/data%u", directory, k);
		if (mkdir(data[k], 0700) < 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

/* What it was asked since, as "POST /pods/create; …", without the API's prefix. */
static const char *asked(struct fake_engine *f)
{
	static char text[2048];
	const char *p = f->seen->text + f->told, *end;

	text[0] = '\0';
	while ((end = strstr(p, " HTTP/1.1\r\n"))) {
		const char *line = end, *path;

		while (line > p && line[-1] != '\n' && line[-1] != '}')
			line--;
		path = strstr(line, "/libpod");
		path = path && path < end ? path + strlen("/libpod") : strchr(line, '/');
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s %.*s", text[0] ? "; " : "",
			 (int)strcspn(line, " "), line, (int)(end - path), path);
		p = end + 1;
	}
	f->told = strlen(f->seen->text);
	return text;
}

#define KEPT "GET /pods/sockwake-x-keep-pod/json; POST /pods/create; POST /containers/create"

/* A container with a volume of the engine's, one of a driver's, and a directory of the host's. */
static struct container_mount mounts[3] = {
	{.name = "pgd", .source = data[0], .is_local = true}, {.name = "nfs", .source = data[1]}, {.source = data[1]}};
static struct label made[1] = {{MADE_LABEL, "t"}};
static struct container c = {
	.name = "x", .image = ID64, .mounts = mounts, .n_mounts = 3, .labels = made, .n_labels = 1};

static void expect_record(const char *image, size_t n)
{
	_cleanup_volumes_ struct volumes v = {};
	struct error err;

	if (n == 0 && !*image) {
		assert_int_equal(access(record, F_OK), -1);
		return;
	}
	assert_int_equal(volumes_read(record, &v, &err), 0);
	assert_string_equal(v.image, image);
	assert_int_equal(v.n, n);
}

static void what_is_made_is_kept(void **state)
{
	FAKE_ENGINE(f, EXISTS, NO_POD, MADE, MADE,				   /* */
		    ANCHOR(""),							   /* */
		    NO_ANCHOR, EXISTS, OUR_POD, REPLY("200 OK", "{}"), MADE, MADE, /* */
		    EXISTS, NO_POD, MADE, MADE);
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN);
	struct error err;

	(void)state;
	assert_int_equal(volumes_remember(e, record, &c, false, &err), 0);
	assert_string_equal(asked(&f), "GET /volumes/pgd/exists; " KEPT);
	expect_record(ID64, 2);
	assert_non_null(strstr(f.seen->text, "{\"labels\":{\"sockwake.keeps\":\"x\"},\"name\":\"sockwake-x-keep-pod\","
					     "\"no_infra\":true,\"share_parent\":false}"));
	assert_non_null(strstr(f.seen->text,
			       "\"name\":\"sockwake-x-keep\",\"pod\":\"sockwake-x-keep-pod\",\"image\":\"" ID64
			       "\",\"image_volume_mode\":\"ignore\",\"volumes\":[{\"Name\":\"pgd\","
			       "\"Dest\":\"/keep/0\"}]"));
	/* Nothing has changed: it is looked whether the anchor is there, */
	assert_int_equal(volumes_remember(e, record, &c, false, &err), 0);
	assert_string_equal(asked(&f), "GET /containers/sockwake-x-keep/json");
	/* and people remove what they do not know. */
	assert_int_equal(volumes_remember(e, record, &c, false, &err), 0);
	assert_string_equal(asked(&f),
			    "GET /containers/sockwake-x-keep/json; GET /volumes/pgd/exists; GET "
			    "/pods/sockwake-x-keep-pod/json; DELETE /pods/sockwake-x-keep-pod?force=true; POST "
			    "/pods/create; POST /containers/create");
	/* another image */
	strcpy(c.image, OTHER);
	assert_int_equal(volumes_remember(e, record, &c, false, &err), 0);
	strcpy(c.image, ID64);
	assert_string_equal(asked(&f), "GET /volumes/pgd/exists; " KEPT);
	expect_record(OTHER, 2);
	fake_stop(&f);
}

static void other_volumes_are_kept_anew(void **state)
{
	FAKE_ENGINE(f, EXISTS, NO_POD, MADE, MADE, EXISTS, EXISTS, NO_POD, MADE, MADE, EXISTS, NO_POD, MADE, MADE);
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN);
	struct error err;

	(void)state;
	assert_int_equal(volumes_remember(e, record, &c, false, &err), 0);
	mounts[1].is_local = true;
	assert_int_equal(volumes_remember(e, record, &c, false, &err), 0);
	mounts[1].is_local = false;
	(void)asked(&f);
	mounts[0].name = "other";
	assert_int_equal(volumes_remember(e, record, &c, false, &err), 0);
	mounts[0].name = "pgd";
	assert_string_equal(asked(&f), "GET /volumes/other/exists; " KEPT);
	fake_stop(&f);
}

/* It is not ours to keep, or cannot be. */
static void what_is_not_kept(void **state)
{
	FAKE_ENGINE(f, EXISTS, NO_POD, MADE, MADE);
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN),
				       *docker = engine_opened(&f, BACKEND_DOCKER);
	struct error err;

	(void)state;
	c.n_labels = 0;
	assert_int_equal(volumes_remember(e, record, &c, false, &err), 0);
	expect_record("", 2);
	/* Of what a unit runs, directories of the host's are not remembered, */
	c.image[0] = '\0';
	assert_int_equal(volumes_remember(e, record, &c, true, &err), 0);
	expect_record("", 1);
	c.n_labels = 1;
	strcpy(c.image, ID64);
	assert_int_equal(volumes_remember(docker, record, &c, true, &err), 0);
	assert_string_equal(asked(&f), "");
	/* but all else is kept. */
	c.n_labels = 0;
	assert_int_equal(volumes_remember(e, record, &c, true, &err), 0);
	c.n_labels = 1;
	assert_string_equal(asked(&f), "GET /volumes/pgd/exists; " KEPT);
	expect_record(ID64, 1);
	fake_stop(&f);
}

/* What cannot be kept is written down all the same. */
static void failures_to_keep(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(NULL, CLOSE),		 /* */
		    EXISTS, FAILS,			 /* */
		    EXISTS, REPLY("200 OK", "nonsense"), /* */
		    EXISTS, NO_POD, FAILS,		 /* */
		    EXISTS, NO_POD, MADE, REPLY("404 Not Found", "{\"message\":\"no such image\"}"), OUR_POD,
		    REPLY("200 OK", "{}"),		 /* */
		    EXISTS, NO_POD, MADE, FAILS, NO_POD, /* */
		    EXISTS, OUR_POD, FAILS);
	static const struct {
		int code;
		const char *text;
	} cases[] = {
		{ECONNRESET, "went away"},
		{EREMOTEIO, "Podman cannot look at what is kept for the container 'x': will not"},
		{EPROTO, "is not what Podman's API promises"},
		{EREMOTEIO, "Podman cannot keep the image and volumes of the container 'x': will not"},
		{ENOENT, "Podman cannot keep the image and volumes of the container 'x': no such image"},
		{EREMOTEIO, "Podman cannot keep the image and volumes of the container 'x': will not"},
		{EREMOTEIO, "Podman cannot let go of what is kept for the container 'x': will not"},
	};
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN);
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		(void)unlink(record);
		err = (struct error){};
		assert_int_equal(volumes_remember(e, record, &c, false, &err), -1);
		if (err.code != cases[k].code || !strstr(err.text, cases[k].text))
			fail_msg("%zu: %s", k, err.text);
		expect_record("", 2);
	}
	fake_stop(&f);
}

static void what_cannot_be_written_down(void **state)
{
	FAKE_ENGINE(f, EXISTS, FAILS);
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN);
	struct error err;

	(void)state;
	c.n_labels = 0;
	assert_int_equal(volumes_remember(e, "/proc/none/record", &c, false, &err), -1);
	assert_int_equal(err.code, ENOENT);
	c.n_labels = 1;
	/* the first failure is told */
	assert_int_equal(volumes_remember(e, "/proc/none/record", &c, false, &err), -1);
	assert_int_equal(err.code, EREMOTEIO);
	fake_stop(&f);
}

#define IMAGE		    REPLY("200 OK", "{\"Id\":\"" OTHER "\",\"Config\":{}}")
#define MOUNT(name, driver) "{\"Type\":\"volume\",\"Name\":\"" name "\",\"Source\":\"/proc\",\"Driver\":\"" driver "\"}"

/* A container that does not exist yet. */
static void before_it_is_made(void **state)
{
	FAKE_ENGINE(f, IMAGE, EXISTS, NO_VOLUME, NO_POD, MADE, MADE,
		    ANCHOR(MOUNT("pgd", "local") "," MOUNT("nfs", "nfs") ",{\"Type\":\"bind\",\"Source\":\"/\"}"));
	static const char *const volumes[] = {"pgd", "none", "not a name", NULL};
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN);
	struct error err;

	(void)state;
	assert_int_equal(volumes_keep_new(e, record, "x", "img", volumes, &err), 0);
	assert_string_equal(asked(&f), "GET /images/img/json; GET /volumes/pgd/exists; GET /volumes/none/exists; " KEPT
				       "; GET /containers/sockwake-x-keep/json");
	assert_non_null(strstr(f.seen->text, "\"volumes\":[{\"Name\":\"pgd\",\"Dest\":\"/keep/0\"}]"));
	fake_stop(&f);
}

/* No volume was found: the anchor mounts nothing. */
static void before_it_is_made_without_volumes(void **state)
{
	FAKE_ENGINE(f, IMAGE, NO_POD, MADE, MADE,
		    REPLY("200 OK",
			  "{\"Id\":\"" ID64 "\",\"Name\":\"sockwake-x-keep\",\"State\":{\"Status\":\"created\"},"
			  "\"HostConfig\":{},\"Config\":{},\"Image\":\"" OTHER "\"}"));
	static const char *const none[] = {NULL};
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN);
	struct error err;

	(void)state;
	assert_int_equal(volumes_keep_new(e, record, "x", "img", none, &err), 0);
	expect_record(OTHER, 0);
	fake_stop(&f);
}

static void before_it_is_made_again(void **state)
{
	FAKE_ENGINE(f, IMAGE, ANCHOR(""), /* */
		    IMAGE, EXISTS, EXISTS, NO_POD, MADE, MADE,
		    ANCHOR(MOUNT("pgd", "local") "," MOUNT("b", "local")),			 /* */
		    IMAGE, NO_ANCHOR, EXISTS, NO_POD, MADE, MADE, ANCHOR(MOUNT("pgd", "local")), /* */
		    REPLY("200 OK", "{\"Id\":\"" ID64 "\",\"Config\":{}}"), EXISTS, NO_POD, MADE, MADE,
		    ANCHOR(MOUNT("pgd", "local")));
	static const char *const one[] = {"pgd", NULL}, *const two[] = {"pgd", "b", NULL};
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN);
	_cleanup_volumes_ struct volumes v = {.image = OTHER};
	struct error err;

	(void)state;
	assert_int_equal(volumes_add(&v, "pgd", data[0], &err), 0);
	assert_int_equal(volumes_add(&v, NULL, data[1], &err), 0);
	assert_int_equal(volumes_write(record, &v, &err), 0);
	/* all is kept already */
	assert_int_equal(volumes_keep_new(e, record, "x", "img", one, &err), 0);
	assert_string_equal(asked(&f), "GET /images/img/json; GET /containers/sockwake-x-keep/json");
	/* another volume; what was remembered is as it was then */
	assert_int_equal(volumes_keep_new(e, record, "x", "img", two, &err), 0);
	assert_string_equal(asked(&f), "GET /images/img/json; GET /volumes/pgd/exists; GET /volumes/b/exists; " KEPT
				       "; GET /containers/sockwake-x-keep/json");
	volumes_clear(&v);
	assert_int_equal(volumes_read(record, &v, &err), 0);
	assert_string_equal(v.image, OTHER);
	assert_string_equal(v.items[0].path, data[0]);
	/* the anchor is gone */
	assert_int_equal(volumes_keep_new(e, record, "x", "img", one, &err), 0);
	assert_string_equal(asked(&f), "GET /images/img/json; GET /containers/sockwake-x-keep/json; GET "
				       "/volumes/pgd/exists; " KEPT "; GET /containers/sockwake-x-keep/json");
	/* another image */
	assert_int_equal(volumes_keep_new(e, record, "x", "img", one, &err), 0);
	assert_string_equal(asked(&f), "GET /images/img/json; GET /volumes/pgd/exists; " KEPT
				       "; GET /containers/sockwake-x-keep/json");
	fake_stop(&f);
}

static void before_it_is_made_failures(void **state)
{
	FAKE_ENGINE(f, REPLY("404 Not Found", "{\"message\":\"no such image\"}"), /* */
		    FAILS,							  /* */
		    IMAGE, EXISTS, NO_POD, FAILS,				  /* */
		    IMAGE, EXISTS, NO_POD, MADE, MADE, NO_ANCHOR);
	static const char *const one[] = {"pgd", NULL};
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN),
				       *docker = engine_opened(&f, BACKEND_DOCKER);
	struct error err;

	(void)state;
	assert_int_equal(volumes_keep_new(docker, record, "x", "img", one, &err), 0);
	assert_string_equal(asked(&f), "");
	assert_int_equal(volumes_keep_new(e, record, "x", "img", one, &err), 0);
	assert_int_equal(volumes_keep_new(e, record, "x", "img", one, &err), -1);
	assert_int_equal(volumes_keep_new(e, record, "x", "img", one, &err), -1);
	assert_non_null(strstr(err.text, "cannot keep the image and volumes of"));
	assert_int_equal(volumes_keep_new(e, record, "x", "img", one, &err), -1);
	assert_int_equal(err.code, ENOENT);
	expect_record("", 0);
	fake_stop(&f);
}

static void what_is_let_go(void **state)
{
	FAKE_ENGINE(f, OUR_POD, REPLY("200 OK", "{}"), OUR_POD, REPLY("404 Not Found", "{}"), NO_POD,
		    REPLY("200 OK", "{\"Labels\":{\"sockwake.keeps\":\"y\"}}"), REPLY("200 OK", "{\"Labels\":{}}"),
		    OUR_POD, FAILS);
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN),
				       *docker = engine_opened(&f, BACKEND_DOCKER);
	_cleanup_volumes_ struct volumes v = {};
	struct error err;

	(void)state;
	assert_int_equal(volumes_add(&v, "pgd", data[0], &err), 0);
	for (unsigned k = 0; k < 5; k++) {
		assert_int_equal(volumes_write(record, &v, &err), 0);
		assert_int_equal(volumes_forget(e, record, "x", &err), 0);
		expect_record("", 0);
		assert_string_equal(asked(&f), k < 2 ? "GET /pods/sockwake-x-keep-pod/json; DELETE "
						       "/pods/sockwake-x-keep-pod?force=true"
						     : "GET /pods/sockwake-x-keep-pod/json");
	}
	assert_int_equal(volumes_write(record, &v, &err), 0);
	assert_int_equal(volumes_forget(e, record, "x", &err), -1);
	expect_record("", 1);
	assert_int_equal(volumes_forget(e, record, "not a name", &err), -1);
	assert_int_equal(err.code, EINVAL);
	(void)asked(&f);
	assert_int_equal(volumes_forget(docker, record, "x", &err), 0);
	expect_record("", 0);
	assert_string_equal(asked(&f), "");
	fake_stop(&f);
}

/* A container may have 255 letters, and so may what keeps its volumes. */
static void the_longest_names(void **state)
{
	const size_t longest = 255, kept = longest - strlen("sockwake--keep");
	char name[256] = "", expected[1200], pod[400];
	const char *const volumes[] = {name, NULL};
	const struct exchange script[] = {
		IMAGE, EXISTS, NO_POD, MADE, MADE, ANCHOR(""), SAY_THEN(pod, CLOSE), REPLY("200 OK", "{}"),
	};
	_cleanup_engine_ struct engine *e = NULL;
	struct fake_engine f;
	struct error err;

	(void)state;
	memset(name, 'y', longest);
	snprintf(pod, sizeof(pod), BODY("200 OK", "{\"Labels\":{\"sockwake.keeps\":\"%s\"}}"), name);
	fake_start(&f, script, sizeof(script) / sizeof(*script));
	e = engine_opened(&f, BACKEND_PODMAN);
	name[kept] = '\0';
	assert_int_equal(volumes_keep_new(e, record, name, "img", volumes, &err), 0);
	snprintf(
		expected, sizeof(expected),
		"GET /images/img/json; GET /volumes/%s/exists; GET /pods/sockwake-%s-keep-pod/json; POST /pods/create; "
		"POST /containers/create; GET /containers/sockwake-%s-keep/json",
		name, name, name);
	assert_string_equal(asked(&f), expected);
	name[kept] = 'y';
	assert_int_equal(volumes_forget(e, record, name, &err), 0);
	snprintf(expected, sizeof(expected),
		 "GET /pods/sockwake-%s-keep-pod/json; DELETE /pods/sockwake-%s-keep-pod?force=true", name, name);
	assert_string_equal(asked(&f), expected);
	fake_stop(&f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(what_is_made_is_kept),
		TEST(other_volumes_are_kept_anew),
		TEST(what_is_not_kept),
		TEST(failures_to_keep),
		TEST(what_cannot_be_written_down),
		TEST(before_it_is_made),
		TEST(before_it_is_made_without_volumes),
		TEST(before_it_is_made_again),
		TEST(before_it_is_made_failures),
		TEST(what_is_let_go),
		TEST(the_longest_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
