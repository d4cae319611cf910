/* With a label in the rules, only what carries it exists; and exec instances belong to who made them. */
#include "tests/unit/rules_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rules/owner.h"

#define HOST	   "Host: docker\r\n"
#define GET(path)  "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"
#define LABEL	   "label = team=ci\n"

struct label_case {
	const char *path, *json; /* NULL: the last */
	int status;
	const char *sent; /* NULL: whatever */
};

static const struct play engine[] = {
	{"GET /containers/ours/json", LABELLED(ID_OURS), false},
	{"GET /containers/others/json", UNLABELLED(ID_OTHERS), false},
	{"GET /containers/none/json", "404 Not Found\n{\"message\":\"no\"}", false},
	{"GET /containers/broken/json", "500 Internal Server Error\n{}", false},
	{"GET /containers/odd/json", "200 OK\n{\"Id\":\"../x\"}", false},
	{"GET /containers/nothing/json", "200 OK\nnothing", false},
	{"GET /containers/silent/json", "HTTP/1.1 ", false},
	{"GET /containers/crooked/json", "HTTP/1.1 2x0 OK\r\n\r\n{}", false},
	{"GET /containers/bare/json", "HTTP/1.1 200 OK\n\n{}", false},
	{"GET /containers/until/json",
	 "HTTP/1.1 200 OK\r\n\r\n{\"Id\":\"" ID_OURS
	 "\",\"Image\":\"sha256:1\",\"Config\":{\"Labels\":{\"team\":\"ci\"}}}",
	 false},
	{"GET /containers/half/json",
	 "HTTP/1.1 200 OK\r\nContent-length: 900\r\n\r\n{\"Id\":\"" ID_OURS
	 "\",\"Config\":{\"Labels\":{\"team\":\"ci\"}}}",
	 false},
	{"GET /networks/ours", LABELLED(ID_OURS), false},
	{"GET /networks/others", UNLABELLED(ID_OTHERS), false},
	{"GET /networks/none", "404 Not Found\n{}", false},
	{"GET /volumes/ours", LABELLED("x"), false},
	{"GET /volumes/others", UNLABELLED("x"), false},
	{"GET /volumes/new", "404 Not Found\n{}", false},
	{"GET /volumes/raced", "404 Not Found\n{}", false},
	{"POST /volumes/create HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Type: application/json\r\n"
	 "Content-Length: 39\r\n\r\n{\"Labels\":{\"team\":\"ci\"},\"Name\":\"raced\"}",
	 UNLABELLED("x"), false},
	{"POST /volumes/create", LABELLED("x"), false},
	{"GET /containers/json?all=true", "200 OK\n[]", false},
	{"GET /_ping", "HTTP/1.1 200 OK\r\nLibpod-Api-Version: 4.3.1\r\nContent-Length: 2\r\n\r\nOK", false},
	{NULL, NULL, false},
};

static void the_id_is_what_is_acted_on(void **state)
{
	static const struct {
		const char *request;
		int status;
		const char *sent;
	} cases[] = {
		{POST("/v1.41/containers/ours/start"), 200, "POST /v1.41/containers/" ID_OURS "/start HTTP/1.1\r\n"},
		{POST("/containers/others/start"), 404, NULL},
		{POST("/containers/none/start"), 404, NULL},
		{POST("/containers/broken/start"), 503, NULL},
		{POST("/containers/odd/start"), 503, NULL},
		{POST("/containers/nothing/start"), 503, NULL},
		{POST("/containers/silent/start"), 503, NULL},
		{POST("/containers/crooked/start"), 503, NULL},
		{POST("/containers/bare/start"), 503, NULL},
		{POST("/containers/half/start"), 503, NULL},
		{POST("/containers/until/start"), 200, "POST /containers/" ID_OURS "/start HTTP"},
		{GET("/containers/ours/json?size=1"), 200, "GET /containers/" ID_OURS "/json?size=1 HTTP/1.1\r\n"},
		{GET("/containers/others/json"), 404, NULL},
		{"DELETE /containers/ours?force=1 HTTP/1.1\r\n" HOST "\r\n", 200,
		 "DELETE /containers/" ID_OURS "?force=1 HTTP"},
		{GET("/networks/ours"), 200, "GET /networks/" ID_OURS " HTTP"},
		{GET("/networks/others"), 404, NULL},
		{GET("/volumes/ours"), 200, "GET /volumes/vol HTTP"},
		{GET("/volumes/others"), 404, NULL},
		{POST("/commit?container=ours&repo=x"), 200,
		 "POST /commit?container=" ID_OURS "&repo=x&changes=LABEL%20team%3D HTTP"},
		{POST("/commit?container=ours&changes=USER%20a"), 200,
		 "&changes=USER%20a&changes=LABEL%20team%3D HTTP"},
		{POST("/commit?container=others"), 404, NULL},
		{POST("/commit"), 400, NULL},
		/* What would tell of others. */
		{GET("/system/df"), 403, NULL},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_outcome_ struct outcome *o = ask(
			LABEL
			"allow = containers.start containers.inspect containers.remove networks.inspect volumes.inspect "
			"images.commit system.df",
			engine, cases[k].request);

		if (o->status != cases[k].status)
			fail_msg("%s%d: %s", cases[k].request, o->status, o->answer);
		assert_null(strstr(o->fake.seen, ID_OTHERS));
		if (cases[k].sent && !strstr(o->fake.seen, cases[k].sent))
			fail_msg("'%s' is not in %s", cases[k].sent, o->fake.seen);
	}
}

static void lists_are_filtered(void **state)
{
	static const struct {
		const char *request, *sent; /* NULL: refused */
	} cases[] = {
		{GET("/containers/json"),
		 "GET /containers/json?filters=%7B%22label%22:%7B%22team%3Dci%22:true%7D%7D HTTP"},
		{GET("/containers/json?filters=null"), "?filters=%7B%22label%22:%7B%22team%3Dci%22:true%7D%7D HTTP"},
		{GET("/containers/json?filters=%7B%22label%22:%5B%22a%22,%22team%3Dci%22%5D%7D"),
		 "?filters=%7B%22label%22:%7B%22a%22:true,%22team%3Dci%22:true%7D%7D HTTP"},
		{GET("/containers/json?filters=%7B%22label%22:%7B%22team%3Dx%22:true%7D,%22id%22:%5B%22b%22%5D%7D"),
		 "?filters=%7B%22label%22:%7B%22team%3Dx%22:true,%22team%3Dci%22:true%7D,%22id%22:%7B%22b%22:true%7D%7D HTTP"},
		{POST("/containers/prune"),
		 "POST /containers/prune?filters=%7B%22label%22:%7B%22team%3Dci%22:true%7D%7D HTTP"},
		{GET("/networks"), "GET /networks?filters=%7B%22label"},
		{GET("/volumes"), "GET /volumes?filters=%7B%22label"},
		{GET("/events"), "GET /events?filters=%7B%22label"},
		/* Podman shows what has any of several labels. */
		{GET("/events?filters=%7B%22label%22:%5B%22a%22%5D%7D"), NULL},
		{GET("/containers/json?filters=%7B%22label%22:%7B%22a%22:false%7D%7D"), NULL},
		{GET("/containers/json?filters=%7B%22label%22:%7B%7D,%22label%22:%7B%7D%7D"), NULL},
		{GET("/containers/json?filters=%5B%5D"), NULL},
		{GET("/containers/json?filters=%7B%22label%22:1%7D"), NULL},
		{GET("/containers/json?filters=%7B%22label%22:%5B1%5D%7D"), NULL},
		{GET("/containers/json?filters=x"), NULL},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_outcome_ struct outcome *o =
			ask(LABEL "allow = containers.list containers.prune networks.list volumes.list system.events",
			    engine, cases[k].request);

		if (!cases[k].sent)
			assert_true(o->status == 400 || o->status == 403);
		else if (!strstr(o->fake.seen, cases[k].sent))
			fail_msg("%s: '%s' is not in %s", cases[k].request, cases[k].sent, o->fake.seen);
	}
}

static void what_is_created_carries_the_label(void **state)
{
	static const struct {
		const char *path, *json, *sent; /* "404", …: refused */
	} cases[] = {
		{"/containers/create", "{}", "{\"Labels\":{\"team\":\"ci\"}}"},
		{"/containers/create", "{\"Labels\":null}", "{\"Labels\":{\"team\":\"ci\"}}"},
		{"/containers/create", "{\"Labels\":{\"a\":\"b\",\"team\":\"x\"}}",
		 "{\"Labels\":{\"a\":\"b\",\"team\":\"ci\"}}"},
		{"/networks/create", "{\"Name\":\"n\"}", "{\"Name\":\"n\",\"Labels\":{\"team\":\"ci\"}}"},
		{"/volumes/create", "{\"Name\":\"new\"}", "{\"Name\":\"new\",\"Labels\":{\"team\":\"ci\"}}"},
		{"/volumes/create", "{\"Name\":\"ours\"}", "{\"Name\":\"ours\",\"Labels\":{\"team\":\"ci\"}}"},
		/* The engine would answer with the one that exists. */
		{"/volumes/create", "{\"Name\":\"others\"}", "403"},
		/* references */
		{"/containers/create", "{\"HostConfig\":{\"PidMode\":\"container:ours\"}}",
		 "{\"PidMode\":\"container:" ID_OURS "\"}"},
		{"/containers/create", "{\"HostConfig\":{\"PidMode\":\"container:others\"}}", "404"},
		{"/containers/create", "{\"HostConfig\":{\"IpcMode\":\"container:others\"}}", "404"},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"container:ours\"}}",
		 "{\"NetworkMode\":\"container:" ID_OURS "\"}"},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"container:others\"}}", "404"},
		{"/containers/create", "{\"HostConfig\":{\"VolumesFrom\":[\"ours:ro\"]}}", "[\"" ID_OURS ":ro\"]"},
		{"/containers/create", "{\"HostConfig\":{\"VolumesFrom\":[\"others\"]}}", "404"},
		{"/containers/create", "{\"HostConfig\":{\"Links\":[\"ours:db\"]}}", "[\"" ID_OURS ":db\"]"},
		{"/containers/create", "{\"HostConfig\":{\"Links\":[\"ours\"]}}", "[\"" ID_OURS ":ours\"]"},
		{"/containers/create", "{\"HostConfig\":{\"Links\":[\"others:db\"]}}", "404"},
		{"/containers/create", "{\"HostConfig\":{\"Links\":[\"ours:a,b\"]}}", "403"},
		{"/containers/create",
		 "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{\"Links\":[\"others:db\"]}}}}", "404"},
		/* networks and volumes */
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"ours\"}}",
		 "{\"NetworkMode\":\"" ID_OURS "\"}"},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"others\"}}", "403"},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"none\"}}", "\"none\""},
		{"/containers/create", "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"others\":{}}}}", "403"},
		{"/containers/create", "{\"HostConfig\":{\"Binds\":[\"ours:/x\"]}}", "[\"ours:/x\"]"},
		{"/containers/create", "{\"HostConfig\":{\"Binds\":[\"others:/x\"]}}", "403"},
		{"/containers/create", "{\"HostConfig\":{\"Binds\":[\"named:/x\"]}}", "[\"named:/x\"]"},
		{"/containers/create", "{\"HostConfig\":{\"Binds\":[\"new:/x\"]}}", "[\"new:/x\"]"},
		{"/containers/create", "{\"HostConfig\":{\"Binds\":[\"raced:/x\"]}}", "403"},
		{"/containers/create",
		 "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"others\",\"Target\":\"/x\"}]}}",
		 "403"},
		{"/containers/create",
		 "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"ours\",\"Target\":\"/x\",\"VolumeOptions\":"
		 "{\"DriverConfig\":{\"Options\":{\"type\":\"tmpfs\",\"device\":\"tmpfs\"}}}}]}}",
		 "403"},
		{"/containers/create",
		 "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"ours\",\"Target\":\"/x\"}]}}",
		 "\"Source\":\"ours\""},
		{"/networks/ours/connect", "{\"Container\":\"ours\"}", "{\"Container\":\"" ID_OURS "\"}"},
		{"/networks/ours/connect", "{\"Container\":\"others\"}", "404"},
		{"/networks/others/connect", "{\"Container\":\"ours\"}", "403"},
		{"/networks/ours/disconnect", "{\"Container\":\"others\"}", "404"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_free_ char *request = post(cases[k].path, cases[k].json);
		_cleanup_outcome_ struct outcome *o = ask(
			LABEL
			"allow = containers.create networks.create volumes.create networks.connect networks.disconnect\n"
			"pid = container\nipc = container\nnetwork = container\nvolumes-from = yes\nvolume = named",
			engine, request);

		if (cases[k].sent[0] == '4') {
			if (o->status != atoi(cases[k].sent))
				fail_msg("%s: %s", cases[k].json, o->answer);
		} else if (!strstr(o->fake.seen, cases[k].sent)) {
			fail_msg("%s: '%s' is not in %s; %s", cases[k].json, cases[k].sent, o->fake.seen, o->answer);
		}
	}
}

static void a_missing_volume_is_created_with_the_label(void **state)
{
	_cleanup_free_ char *request = post("/containers/create", "{\"HostConfig\":{\"Binds\":[\"new:/x\"]}}");
	_cleanup_outcome_ struct outcome *o = ask(LABEL "allow = containers.create volumes.create", engine, request);
	_cleanup_outcome_ struct outcome *not = ask(LABEL "allow = containers.create", engine, request);

	(void)state;
	assert_int_equal(o->status, 200);
	assert_non_null(strstr(o->fake.seen, "POST /volumes/create HTTP/1.1\r\n"));
	assert_non_null(strstr(o->fake.seen, "{\"Labels\":{\"team\":\"ci\"},\"Name\":\"new\"}"));
	assert_int_equal(not ->status, 403);
	assert_null(strstr(not ->fake.seen, "POST"));
}

static void a_volume_exists_if_the_engine_says_so(void **state)
{
	static const struct {
		const char *answer;
		bool passes;
	} cases[] = {
		{LABELLED("x"), true},
		{"201 Created\n{\"Name\":\"new\",\"Labels\":{\"team\":\"ci\"}}", true},
		{"202 Accepted\n{\"Name\":\"new\",\"Labels\":{\"team\":\"ci\"}}", false},
		{"500 Internal Server Error\n{\"Name\":\"new\",\"Labels\":{\"team\":\"ci\"}}", false},
	};
	_cleanup_free_ char *request = post("/containers/create", "{\"HostConfig\":{\"Binds\":[\"new:/x\"]}}");

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const struct play plays[] = {
			{"GET /volumes/new", "404 Not Found\n{}", false},
			{"POST /volumes/create", cases[k].answer, false},
			{NULL, NULL, false},
		};
		_cleanup_outcome_ struct outcome *o =
			ask(LABEL "allow = containers.create volumes.create", plays, request);

		if ((o->status == 200) != cases[k].passes)
			fail_msg("%s: %s", cases[k].answer, o->answer);
		assert_int_equal(strstr(o->fake.seen, "POST /containers/create") != NULL, cases[k].passes);
	}
}

static void remove_directory(const char *path)
{
	_cleanup_dir_ DIR *dir = opendir(path);
	struct dirent *e;

	while ((e = readdir(dir)))
		(void)unlinkat(dirfd(dir), e->d_name, 0);
	rmdir(path);
}

static void exec_instances_belong_to_who_made_them(void **state)
{
	static const struct play plays[] = {
		{"GET /containers/ours/json", LABELLED(ID_OURS), false},
		{"POST /v1.41/containers/" ID_OURS "/exec", "201 Created\n{\"Id\":\"" ID_EXEC "\"}", false},
		{"POST /exec/" ID_EXEC "/start", "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n", true},
		{NULL, NULL, false},
	};
	static const char rules[] = LABEL "allow = containers.exec";
	char directory[] = "/tmp/rules-XXXXXX";
	struct rules_caller alice = {.owner = "uid-1000", .exec_owners = directory};
	struct rules_caller bob = {.owner = "uid-100", .exec_owners = directory};
	_cleanup_free_ char *create = NULL;
	_cleanup_free_ char *one = post("/v1.41/containers/ours/exec", "{\"Cmd\":[\"sh\"],\"Container\":\"others\"}");
	static const char inspect[] = GET("/exec/" ID_EXEC "/json"),
			  resize[] = POST("/exec/" ID_EXEC "/resize?h=1&w=2");
	static const char start[] =
		"POST /exec/" ID_EXEC "/start HTTP/1.1\r\n" HOST
		"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 16\r\n\r\n{\"Detach\":false}abc";

	(void)state;
	assert_true(asprintf(&create, "%s%s", one, GET("/_ping")) > 0);
	assert_non_null(mkdtemp(directory));
	for (unsigned k = 0; k < 2; k++) { /* before and after alice has made it */
		const struct rules_caller *const strangers[] = {k ? &bob : &alice, &bob};

		for (size_t n = 0; n < 2; n++) {
			_cleanup_outcome_ struct outcome *i =
				ask_as(rules, strangers[n], plays, inspect, strlen(inspect));
			_cleanup_outcome_ struct outcome *r =
				ask_as(rules, strangers[n], plays, resize, strlen(resize));
			_cleanup_outcome_ struct outcome *s = ask_as(rules, strangers[n], plays, start, strlen(start));

			assert_int_equal(i->status, 404);
			assert_int_equal(r->status, 404);
			assert_int_equal(s->status, 404);
			assert_int_equal(i->fake.seen_len + r->fake.seen_len + s->fake.seen_len, 0);
		}
		if (k == 0) {
			_cleanup_outcome_ struct outcome *o = ask_as(rules, &alice, plays, create, strlen(create));

			assert_int_equal(o->status, 201);
			assert_int_equal(o->report.requests, 2); /* the connection goes on */
			assert_non_null(strstr(o->answer, "\r\n\r\n{\"Id\":\"" ID_EXEC "\"}"));
			assert_non_null(strstr(o->fake.seen, "{\"Cmd\":[\"sh\"],\"Container\":\"\"}"));
		}
	}
	{
		_cleanup_outcome_ struct outcome *i = ask_as(rules, &alice, plays, inspect, strlen(inspect));
		_cleanup_outcome_ struct outcome *r = ask_as(rules, &alice, plays, resize, strlen(resize));
		_cleanup_outcome_ struct outcome *s = ask_as(rules, &alice, plays, start, strlen(start));

		assert_int_equal(i->status, 200);
		assert_int_equal(r->status, 200);
		assert_int_equal(s->status, 101);
		assert_non_null(strstr(s->answer, "\r\n\r\nabcEND"));
		assert_non_null(strstr(s->fake.seen, "\r\n\r\n{\"Detach\":false}\n===="));
	}
	remove_directory(directory);
}

static void an_exec_instance_that_cannot_be_noted_is_refused(void **state)
{
	static const struct play plays[] = {
		{"POST /containers/a/exec", "201 Created\n{\"Id\":\"" ID_EXEC "\"}", false},
		{"POST /containers/b/exec", "201 Created\n{\"Id\":\"../../x\"}", false},
		{"POST /containers/d/exec", "201 Created\n{\"Id\":\"" ID_OURS "\"}", false}, /* another's already */
		{"POST /containers/c/exec", "409 Conflict\n{\"message\":\"paused\"}", false},
		{NULL, NULL, false},
	};
	char directory[] = "/tmp/rules-XXXXXX";
	static const struct {
		char container;
		bool directory;
		int status;
	} cases[] = {{'a', false, 503}, {'b', true, 503}, {'c', true, 409},
		     {'a', true, 201},	{'a', true, 201}, {'d', true, 503}};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	fd = open(directory, O_RDONLY | O_DIRECTORY);
	assert_int_equal(symlinkat("another", fd, ID_OURS), 0);
	close(fd);
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct rules_caller caller = {.owner = "me",
					      .exec_owners = cases[k].directory ? directory : "/nowhere"};
		_cleanup_free_ char *path = NULL, *request = NULL;
		_cleanup_outcome_ struct outcome *o = NULL;

		assert_true(asprintf(&path, "/containers/%c/exec", cases[k].container) > 0);
		request = post(path, "{\"Cmd\":[\"sh\"]}");
		o = ask_as("allow = containers.exec", &caller, plays, request, strlen(request));
		assert_int_equal(o->status, cases[k].status);
	}
	remove_directory(directory);
}

static void owners_that_are_long_out_of_use_are_forgotten(void **state)
{
	static const struct play plays[] = {
		{"POST /containers/a/exec",
		 "201 Created\n{\"Id\":\"0011111111111111111111111111111111111111111111111111111111111111\"}", false},
		{NULL, NULL, false},
	};
	char directory[] = "/tmp/rules-XXXXXX";
	struct rules_caller caller = {.owner = "me", .exec_owners = directory};
	_cleanup_free_ char *request = post("/containers/a/exec", "{\"Cmd\":[\"sh\"]}");
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	fd = open(directory, O_RDONLY | O_DIRECTORY);
	assert_int_equal(symlinkat("me", fd, ID_OURS), 0);
	assert_int_equal(symlinkat("me", fd, ID_OTHERS), 0);
	assert_int_equal(utimensat(fd, ID_OURS, old, AT_SYMLINK_NOFOLLOW), 0);
	{
		_cleanup_outcome_ struct outcome *o =
			ask_as("allow = containers.exec", &caller, plays, request, strlen(request));

		assert_int_equal(o->status, 201);
	}
	assert_int_equal(fstatat(fd, ID_OURS, &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(fd, ID_OTHERS, &st, AT_SYMLINK_NOFOLLOW), 0);
	close(fd);
	remove_directory(directory);
}

/* Whoever asks for one or notes it anew uses it. */
static void owners_that_are_used_are_remembered(void **state)
{
	static int (*const uses[])(const struct rules_caller *caller, const char *exec,
				   struct error *err) = {owner_note, owner_check};
	char directory[] = "/tmp/rules-XXXXXX";
	const struct rules_caller me = {.owner = "me", .exec_owners = directory};
	const struct rules_caller you = {.owner = "you", .exec_owners = directory};
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct error err;
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	fd = open(directory, O_RDONLY | O_DIRECTORY);
	assert_int_equal(owner_note(&me, ID_OURS, &err), 0);
	for (size_t k = 0; k < sizeof(uses) / sizeof(*uses); k++) {
		assert_int_equal(utimensat(fd, ID_OURS, old, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(uses[k](&you, ID_OURS, &err), -1);
		assert_int_equal(fstatat(fd, ID_OURS, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mtime, 1000);
		assert_int_equal(uses[k](&me, ID_OURS, &err), 0);
		assert_int_equal(fstatat(fd, ID_OURS, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(st.st_mtime > 1000);
	}
	close(fd);
	remove_directory(directory);
}

/* A container of this name, with more than its labels. */
#define CONTAINER(name, id, image, more)                                                                               \
	{                                                                                                              \
		"GET /containers/" name "/json",                                                                       \
			"200 OK\n{\"Id\":\"" id "\",\"Image\":\"" image                                                \
			"\",\"Config\":{\"Labels\":{\"team\":\"ci\"}}" more "}",                                       \
			false                                                                                          \
	}
#define NETWORK(name, own_name, team)                                                                                  \
	{                                                                                                              \
		"GET /networks/" name " ",                                                                             \
			"200 OK\n{\"Id\":\"" ID_OURS "\",\"Name\":\"" own_name "\",\"Labels\":{\"team\":\"" team       \
			"\"}}",                                                                                        \
			false                                                                                          \
	}

static void check_cases(const char *rules, const struct play *plays, const struct label_case *cases)
{
	for (const struct label_case *c = cases; c->path; c++) {
		_cleanup_free_ char *request = post(c->path, c->json);
		_cleanup_outcome_ struct outcome *o = ask(rules, plays, request);

		if (o->status != c->status)
			fail_msg("%s %s: %s", c->path, c->json, o->answer);
		if (c->sent && !strstr(o->fake.seen, c->sent))
			fail_msg("%s %s: '%s' is not in %s", c->path, c->json, c->sent, o->fake.seen);
		if (c->status != 200)
			assert_null(strstr(o->fake.seen, "POST"));
	}
}

static void the_id_of_a_network_is_what_is_joined(void **state)
{
	static const struct play plays[] = {
		NETWORK("ours", "ours", "ci"),
		NETWORK("again", "ours", "ci"),
		NETWORK("51b6", "51b6", "ci"),
		NETWORK("others", "others", "x"),
		NETWORK("cafe", "cafe_of_others", "x"),
		NETWORK("named", "named", "x"),
		CONTAINER("ours", ID_OURS, "i", ""),
		{"GET /networks/", "404 Not Found\n{}", false},
		{NULL, NULL, false},
	};
	static const struct label_case cases[] = {
		{"/containers/create", "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{},\"ours\":{}}}}", 200,
		 "{\"EndpointsConfig\":{\"bridge\":{},\"" ID_OURS "\":{}}}"},
		{"/containers/create", "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"again\":{},\"ours\":{}}}}", 400,
		 NULL},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"named\"}}", 200,
		 "{\"NetworkMode\":\"" ID_OURS "\"}"},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"bridge\"}}", 200,
		 "{\"NetworkMode\":\"bridge\"}"},
		{"/networks/ours/connect", "{\"Container\":\"ours\"}", 200, "POST /networks/" ID_OURS "/connect HTTP"},
		{"/networks/ours/disconnect", "{\"Container\":\"ours\"}", 200,
		 "POST /networks/" ID_OURS "/disconnect HTTP"},
		{"/build?networkmode=ours", "", 200, "POST /build?networkmode=" ID_OURS " HTTP"},
		/* The rules name it, but the engine found another, whose ID begins like this. */
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"cafe\"}}", 403, NULL},
		/* Named, but there is none. */
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"gone\"}}", 404, NULL},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"none-such\"}}", 403, NULL},
		/* Once it is gone, its name is the beginning of another's ID. */
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"51b6\"}}", 403, NULL},
		{"/networks/create", "{\"Name\":\"51b6\"}", 403, NULL},
		{"/networks/create", "{\"Name\":\"51b6x\"}", 200, "51b6x"},
		{NULL, NULL, 0, NULL},
	};

	(void)state;
	check_cases(LABEL
		    "allow = containers.create networks.create networks.connect networks.disconnect images.build\n"
		    "network = cafe named gone",
		    plays, cases);
}

#define JOINED(network) ",\"NetworkSettings\":{\"Networks\":{\"" network "\":{}}}"

static void a_container_starts_only_in_networks_that_it_may_use(void **state)
{
	static const struct play plays[] = {
		CONTAINER("own", ID_OURS, "i", ""),
		CONTAINER("other", ID_OTHERS, "i", ""),
		CONTAINER("podmans", ID_EXEC, "i", ""),
		CONTAINER(ID_OURS, ID_OURS, "i", JOINED("ours")),
		CONTAINER(ID_OTHERS, ID_OTHERS, "i", JOINED("others")),
		{"GET /containers/" ID_EXEC "/json",
		 "HTTP/1.1 200 OK\r\nLibpod-Api-Version: 4.3.1\r\n\r\n{\"Id\":\"" ID_EXEC "\"" JOINED("podman") "}",
		 false},
		NETWORK("ours", "ours", "ci"),
		NETWORK("others", "others", "x"),
		NETWORK("podman", "podman", "x"),
		{NULL, NULL, false},
	};
	static const struct label_case cases[] = {
		{"/containers/own/start", "", 200, "POST /containers/" ID_OURS "/start"},
		{"/containers/own/restart", "", 200, "POST /containers/" ID_OURS "/restart"},
		{"/containers/podmans/start", "", 200, "POST /containers/" ID_EXEC "/start"},
		{"/containers/other/start", "", 403, NULL},
		{"/containers/other/restart", "", 403, NULL},
		{NULL, NULL, 0, NULL},
	};

	(void)state;
	check_cases(LABEL "allow = containers.start containers.restart", plays, cases);
}

static void the_label_of_an_image_makes_no_container_the_callers(void **state)
{
	static const struct play plays[] = {
		CONTAINER("plain", ID_OURS, "sha256:1", ""),
		CONTAINER("baked", ID_OTHERS, "sha256:2", ""),
		CONTAINER("imageless", ID_OTHERS, "", ""),
		CONTAINER("orphan", ID_OTHERS, "sha256:3", ""),
		CONTAINER("odd", ID_OTHERS, "../x", ""),
		CONTAINER("broken", ID_OTHERS, "sha256:4", ""),
		{"GET /images/sha256:1/json", "200 OK\n{\"Id\":\"x\",\"Config\":{\"Labels\":{\"team\":\"x\"}}}", false},
		{"GET /images/sha256:2/json", "200 OK\n{\"Id\":\"x\",\"Config\":{\"Labels\":{\"team\":\"ci\"}}}",
		 false},
		{"GET /images/app/json", "200 OK\n{\"Id\":\"x\",\"Config\":{\"Labels\":{\"team\":\"ci\"}}}", false},
		{"GET /images/a/b:c/json", "200 OK\n{\"Id\":\"x\",\"Config\":{\"Labels\":null}}", false},
		{"GET /images/sha256:4/json", "500 No\n{}", false},
		{"GET /images/", "404 Not Found\n{}", false},
		{NULL, NULL, false},
	};
	static const struct label_case cases[] = {
		{"/containers/plain/kill", "", 200, "POST /containers/" ID_OURS "/kill"},
		{"/containers/baked/kill", "", 404, NULL},
		{"/containers/imageless/kill", "", 404, NULL},
		{"/containers/orphan/kill", "", 404, NULL},
		{"/containers/odd/kill", "", 400, NULL},
		{"/containers/broken/kill", "", 503, NULL},
		{"/containers/create", "{\"Image\":\"app\"}", 403, NULL},
		{"/containers/create", "{\"Image\":\"a/b:c\"}", 200, "a/b:c\",\"Labels\":{\"team\":\"ci\"}}"},
		{"/containers/create", "{\"Image\":\"missing\"}", 200, "missing"}, /* the engine says so */
		{NULL, NULL, 0, NULL},
	};

	(void)state;
	check_cases(LABEL "allow = containers.create containers.kill", plays, cases);
}

static void what_has_the_label_from_its_image_is_not_pruned(void **state)
{
#define IMAGES                                                                                                         \
	{"GET /images/one/json", "200 OK\n{}", false},                                                                 \
		{"GET /images/two/json", "200 OK\n{\"Config\":{\"Labels\":{\"team\":\"ci\"}}}", false},                \
	{                                                                                                              \
		NULL, NULL, false                                                                                      \
	}
	static const struct play own[] = {
		{"GET /containers/json?all=true&filters=%7B%22label%22:%7B%22team%3Dci%22:true%7D%7D HTTP",
		 "200 OK\n[{\"ImageID\":\"one\"},{\"ImageID\":\"one\"}]", false},
		IMAGES,
	};
	static const struct play mixed[] = {
		{"GET /containers/json", "200 OK\n[{\"ImageID\":\"one\"},{\"ImageID\":\"two\"}]", false},
		IMAGES,
	};
	static const struct play odd[] = {{"GET /containers/json", "200 OK\n{}", false}, IMAGES};
	static const struct {
		const struct play *plays;
		int status;
	} cases[] = {{own, 200}, {mixed, 403}, {odd, 503}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_outcome_ struct outcome *o =
			ask(LABEL "allow = containers.prune", cases[k].plays, POST("/containers/prune"));

		assert_int_equal(o->status, cases[k].status);
		assert_int_equal(strstr(o->fake.seen, "POST") != NULL, cases[k].status == 200);
	}
}

/* Whatever it is asked for the decision: without the answer nothing is passed on. */
static void an_engine_that_fails_in_the_middle(void **state)
{
	static const struct play plays[] = {
		CONTAINER("ours", ID_OURS, "i", ""),
		CONTAINER(ID_OURS, ID_OURS, "i", JOINED("mine")),
		NETWORK("mine", "mine", "ci"),
		{"GET /volumes/ours", LABELLED("x"), false},
		{"GET /volumes/new", "404 Not Found\n{}", false},
		{"POST /volumes/create", LABELLED("x"), false},
		{"GET /containers/json", "200 OK\n[{\"ImageID\":\"i\"}]", false},
		{NULL, NULL, false},
	};
	static const struct label_case cases[] = {
		{"/containers/ours/start", "", 0, "POST /containers/" ID_OURS "/start"},
		{"/containers/create", "{\"Image\":\"i\"}", 0, "POST /containers/create"},
		{"/containers/create", "{\"HostConfig\":{\"PidMode\":\"container:ours\"}}", 0,
		 "POST /containers/create"},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"container:ours\"}}", 0,
		 "POST /containers/create"},
		{"/containers/create", "{\"HostConfig\":{\"NetworkMode\":\"mine\"}}", 0, "POST /containers/create"},
		{"/containers/create", "{\"HostConfig\":{\"VolumesFrom\":[\"ours\"]}}", 0, "POST /containers/create"},
		{"/containers/create", "{\"HostConfig\":{\"Links\":[\"ours\"]}}", 0, "POST /containers/create"},
		{"/containers/create", "{\"HostConfig\":{\"Binds\":[\"new:/x\"]}}", 0, "POST /containers/create"},
		{"/containers/create",
		 "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"ours\",\"Target\":\"/x\"}]}}", 0,
		 "POST /containers/create"},
		{"/containers/create", "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"mine\":{}}}}", 0,
		 "POST /containers/create"},
		{"/volumes/create", "{\"Name\":\"ours\"}", 0, "POST /volumes/create"},
		{"/networks/mine/connect", "{\"Container\":\"ours\"}", 0, "POST /networks/" ID_OURS "/connect"},
		{"/networks/mine/disconnect", "{\"Container\":\"ours\"}", 0, "POST /networks/" ID_OURS "/disconnect"},
		{"/commit?container=ours", "", 0, "POST /commit"},
		{"/build?networkmode=mine", "", 0, "POST /build"},
		{"/containers/prune", "", 0, "POST /containers/prune"},
		/* whole requests */
		{GET("/events?filters=%7B%22label%22:%5B%22a%22%5D%7D"), NULL, 0, "GET /events"},
		{"PUT /containers/ours/archive?path=/x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", NULL, 0,
		 "PUT /containers/" ID_OURS "/archive"},
		{"DELETE /volumes/ours HTTP/1.1\r\n" HOST "\r\n", NULL, 0, "DELETE /volumes/vol"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_free_ char *request =
			cases[k].json ? post(cases[k].path, cases[k].json) : strdup(cases[k].path);
		int status = 0;

		for (fake_fails_at = 1; status != 200; fake_fails_at++) {
			_cleanup_outcome_ struct outcome *o = ask(
				LABEL "allow = containers.create containers.start containers.prune volumes.create "
				      "networks.connect networks.disconnect images.commit images.build system.events "
				      "containers.copy-to volumes.remove\n"
				      "pid = container\nnetwork = container\nvolumes-from = yes",
				plays, request);

			status = o->status;
			if (status != (o->fake.opened < fake_fails_at ? 200 : 503))
				fail_msg("%s %s without answer %zu: %s", cases[k].path, cases[k].json, fake_fails_at,
					 o->answer);
			if (!strstr(o->fake.seen, cases[k].sent) == (status == 200))
				fail_msg("%s %s: %s", cases[k].path, cases[k].json, o->fake.seen);
		}
	}
	fake_fails_at = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_the_label_from_its_image_is_not_pruned),
		cmocka_unit_test(an_engine_that_fails_in_the_middle),
		cmocka_unit_test(the_id_of_a_network_is_what_is_joined),
		cmocka_unit_test(a_container_starts_only_in_networks_that_it_may_use),
		cmocka_unit_test(the_label_of_an_image_makes_no_container_the_callers),
		cmocka_unit_test(the_id_is_what_is_acted_on),
		cmocka_unit_test(lists_are_filtered),
		cmocka_unit_test(what_is_created_carries_the_label),
		cmocka_unit_test(a_missing_volume_is_created_with_the_label),
		cmocka_unit_test(a_volume_exists_if_the_engine_says_so),
		cmocka_unit_test(exec_instances_belong_to_who_made_them),
		cmocka_unit_test(an_exec_instance_that_cannot_be_noted_is_refused),
		cmocka_unit_test(owners_that_are_long_out_of_use_are_forgotten),
		cmocka_unit_test(owners_that_are_used_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
