/* Any bytes as a client's requests under rules: they are answered, and what reaches the engine is what the rules allow: whole
 * requests, each written in the one canonical way. The first byte chooses the rules.
 *
 * floor: 700 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rules/endpoint.h"
#include "rules/head.h"
#include "rules/serve.h"
#include "rules/strict.h"
#include "tests/fuzz/fuzz.h"

#define ID "1111111111111111111111111111111111111111111111111111111111111111"

static const char *const files[] = {
	"[rules]\nallow = containers.list containers.inspect containers.create containers.exec containers.attach images.load\n",
	"[rules]\nlabel = team=ci\nallow = containers.list containers.start containers.create volumes.create networks.connect "
	"system.events\npid = container\nvolumes-from = yes\nbind = /srv\n",
};

static const char answer[] =
	"HTTP/1.1 200 OK\r\nContent-Length: 104\r\n\r\n{\"Id\":\"" ID "\",\"Config\":{\"Labels\":{\"team\":\"ci\"}}}";

static struct rules *rules_of(const char *text)
{
	char path[] = "/tmp/rules-XXXXXX";
	struct rules *r = NULL;
	struct error err;
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	CHECK(rules_read(path, &r, &err) == 0 && r);
	unlink(path);
	return r;
}

/* An engine that has answered already, and reads nothing until the end. */
struct engine {
	int fds[64];
	size_t n;
};

static int open_engine(void *data, struct error *err)
{
	struct engine *e = data;
	int pair[2];

	if (e->n == 64)
		return error_set(err, EMFILE, "enough");
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(send(pair[1], answer, strlen(answer), MSG_NOSIGNAL) == (ssize_t)strlen(answer));
	CHECK(shutdown(pair[1], SHUT_WR) == 0);
	e->fds[e->n++] = pair[1];
	return pair[0];
}

/* The first request that the engine has got is one that the rules allow. */
static void check_request(const char *text, size_t len, const struct rules *r)
{
	static struct head h;
	struct error err = {};
	struct uri uri = {};
	char object[URI_PATH_MAX], *written = NULL;
	const struct endpoint *e;
	ssize_t n = head_length(text, len, &err);

	if (len == 0)
		return;
	CHECK(n > 0 && head_parse_request(text, (size_t)n, &h, &err) == 0);
	CHECK(strcmp(head_field(&h, "host"), "docker") == 0);
	CHECK(!head_field(&h, "transfer-encoding") || !head_field(&h, "content-length"));
	CHECK(uri_parse(h.target, &uri, &err) == 0 && uri_write(&uri, &written, &err) == 0);
	CHECK(strcmp(written, h.target) == 0);
	e = endpoint_find(h.method, &uri, object);
	CHECK(e);
	/* Those of our own: who is it? */
	if (!head_field_has(&h, "connection", "close"))
		CHECK(e->flags & ENDPOINT_ALWAYS || rules_grant(r, RULES_ALLOW, e->action));
	if (e->body == BODY_JSON && (size_t)n < len) {
		cJSON *json = NULL;

		CHECK(strict_parse(text + n, len - (size_t)n, &json, &err) == 0);
		cJSON_Delete(json);
	}
	free(written);
	uri_clear(&uri);
}

static void check_engine(struct engine *e, const struct rules *r)
{
	static char text[256 * 1024];

	for (size_t k = 0; k < e->n; k++) {
		size_t len = 0;
		ssize_t n;

		while ((n = recv(e->fds[k], text + len, sizeof(text) - len, MSG_DONTWAIT)) > 0)
			len += (size_t)n;
		check_request(text, len, r);
		close(e->fds[k]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rules_caller caller = {.owner = "me"}, learner = {.owner = "me", .learn = true};
	static struct rules *rules[2];
	struct rules_report report;
	struct engine engine = {};
	struct error err = {};
	int pair[2];
	FILE *f;

	if (size < 1 || size > 64 * 1024)
		return 0;
	for (size_t k = 0; k < 2 && !rules[k]; k++)
		rules[k] = rules_of(files[k]);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(send(pair[0], data + 1, size - 1, MSG_NOSIGNAL) == (ssize_t)(size - 1));
	CHECK(shutdown(pair[0], SHUT_WR) == 0);
	CHECK(rules_serve(rules[data[0] & 1], data[0] & 2 ? &learner : &caller, pair[1], open_engine, &engine, &report,
			  &err) == 0);
	if (!(data[0] & 2))
		check_engine(&engine, rules[data[0] & 1]);
	else
		for (size_t k = 0; k < engine.n; k++)
			close(engine.fds[k]);
	f = fopen("/dev/null", "w");
	CHECK(f);
	rules_learned_print(&report, f);
	fclose(f);
	rules_report_clear(&report);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
