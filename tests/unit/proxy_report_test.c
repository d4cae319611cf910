/* When the first worker tells what was counted. */
#include "tests/unit/proxy_fixture.h"

#include "handover/channel.h"
#include "proxy/report.h"
#include "relay/worker.h"

struct report_test {
	struct loop loop;
	struct report report;
	struct worker *workers;
	struct service service;
	struct stats stats;
	int manager; /* hears what is told */
};

static void start(struct report_test *t, bool has_keeper)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	*t = (struct report_test){
		.loop = {.now = now_usec(), .next_timer = USEC_INFINITY},
		.workers = calloc(2, sizeof(*t->workers)),
		.manager = fds[1],
	};
	t->service = (struct service){
		.workers = t->workers,
		.n_workers = 2,
	};
	t->report = (struct report){
		.service = &t->service,
		.stats = &t->stats,
		.has_keeper = has_keeper,
		.notify_fd = fds[0],
	};
	assert_non_null(t->workers);
	report_ready(&t->report, &t->loop);
}

static void end(struct report_test *t)
{
	free(t->workers);
	close(t->manager);
	close(t->report.notify_fd);
}

/* The next message begins so. */
static void expect_told(struct report_test *t, const char *text)
{
	char message[1024];
	ssize_t n = recv(t->manager, message, sizeof(message) - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	message[n] = '\0';
	assert_memory_equal(message, text, strlen(text));
}

static void expect_silence(struct report_test *t)
{
	char byte;

	assert_int_equal(recv(t->manager, &byte, 1, MSG_DONTWAIT), -1);
}

/* The second worker counts, and says that it did as it does: once until it was heard. */
static void count(struct report_test *t)
{
	count_add(&t->workers[1].counters.connections_total, 1);
	atomic_store(&t->service.changed, true);
}

static void fire(struct report_test *t)
{
	t->loop.now = t->report.timer.when;
	t->report.timer.when = USEC_INFINITY;
	t->report.timer.fire(&t->loop, &t->report.timer);
}

static void what_was_counted_is_told_later(void **state)
{
	struct report_test t;
	uint64_t ready;

	(void)state;
	start(&t, false);
	ready = t.loop.now;
	expect_told(&t, "READY=1\nSTATUS=");
	count(&t);
	report_update(&t.report, &t.loop);
	assert_int_equal(t.stats.connections_total, 1);
	assert_int_equal(t.report.timer.when, ready + USEC_PER_SEC);
	assert_true(atomic_load(&t.service.changed)); /* until then nobody needs to tell of more */
	expect_silence(&t);
	count(&t);
	report_update(&t.report, &t.loop);
	assert_int_equal(t.report.timer.when, ready + USEC_PER_SEC);
	fire(&t);
	expect_told(&t, "STATUS=");
	assert_false(atomic_load(&t.service.changed));
	report_update(&t.report, &t.loop);
	assert_true(t.report.timer.when == USEC_INFINITY);
	end(&t);
}

/* A change that has gone again, or was told already: no timer will come to take back that something has changed. */
static void nothing_to_say_leaves_nothing_behind(void **state)
{
	struct report_test t;

	(void)state;
	start(&t, false);
	expect_told(&t, "READY=1\n");
	atomic_store(&t.service.changed, true);
	report_update(&t.report, &t.loop);
	assert_false(atomic_load(&t.service.changed));
	assert_true(t.report.timer.when == USEC_INFINITY);
	expect_silence(&t);
	end(&t);
}

/* A keeper is given a hint at once, and another one soon. */
static void a_keeper_looks_itself(void **state)
{
	struct report_test t;
	uint64_t first;

	(void)state;
	start(&t, true);
	expect_told(&t, "READY=1\nCOUNTED=1");
	count(&t);
	report_update(&t.report, &t.loop);
	assert_true(t.report.timer.when <= t.loop.now);
	t.report.timer.when = first = t.loop.now;
	fire(&t);
	expect_told(&t, "COUNTED=1");
	count(&t);
	report_update(&t.report, &t.loop);
	assert_int_equal(t.report.timer.when, first + 10 * USEC_PER_MSEC);
	end(&t);
}

static void every_counter_is_news(void **state)
{
	struct report_test t;
	struct counters *c;

	(void)state;
	start(&t, false);
	c = &t.workers[1].counters;
	_Atomic uint64_t *counters[] = {&c->connections,   &c->connections_total, &c->connections_failed,
					&c->bytes[CLIENT], &c->bytes[TARGET],	  &c->flows,
					&c->flows_total,   &c->datagrams_dropped, &c->full};
	for (size_t k = 0; k < sizeof(counters) / sizeof(*counters); k++) {
		count_add(counters[k], 1);
		report_update(&t.report, &t.loop);
		assert_true(t.report.timer.when != USEC_INFINITY);
		fire(&t);
	}
	assert_int_equal(t.stats.flags & STATS_FULL, STATS_FULL);
	assert_int_equal(t.stats.bytes_to_container, 1);
	assert_int_equal(t.stats.bytes_from_container, 1);
	end(&t);
}

static void sums_are_of_all_workers(void **state)
{
	struct report_test t;

	(void)state;
	start(&t, false);
	for (unsigned k = 0; k < 2; k++) {
		struct counters *c = &t.workers[k].counters;

		count_add(&c->connections, 1 + k);
		count_add(&c->holding, 3 + k);
		count_add(&c->holders, 5 + k);
		count_add(&c->silent, 7 + k);
		count_add(&c->last_activity, 20 - k);
		count_add(&c->last_silent, 30 + k);
	}
	assert_int_equal(service_connections(&t.service), 3);
	assert_int_equal(service_holding(&t.service), 7);
	assert_int_equal(service_holders(&t.service), 11);
	assert_int_equal(service_silent(&t.service), 15);
	assert_int_equal(service_last_activity(&t.service), 20);
	assert_int_equal(service_last_silent(&t.service), 31);
	end(&t);
}

static void say_unreachable(struct service *s, const struct forward *f, const struct target *target, int error)
{
	report_unreachable(s->program, target, f->publish->container_port, error);
}

static void say_anonymous(struct service *s)
{
	report_anonymous(s->program);
}

static void remarks_are_made_once(void **state)
{
	struct report_test t;
	const struct publish ports[] = {{.container_port = 80}, {.container_port = 81}};
	struct forward forwards[] = {{.publish = &ports[0]}, {.publish = &ports[1]}};
	struct target target = {.addr.ss_family = AF_INET}, local = {.addr.ss_family = AF_UNIX};

	(void)state;
	start(&t, true);
	expect_told(&t, "READY=1\n");
	t.service.program = &t.report;
	t.service.say_unreachable = say_unreachable;
	t.service.say_anonymous = say_anonymous;
	for (int k = 0; k < 2; k++) {
		service_unreachable(&t.service, &forwards[0], &target, ECONNREFUSED);
		service_unreachable(&t.service, &forwards[1], &local, 0);
	}
	expect_told(&t, "UNREACHABLE=111\nPORT=80");
	expect_told(&t, "UNREACHABLE=0\nPORT=0");
	service_anonymous(&t.service);
	service_anonymous(&t.service);
	expect_told(&t, "ANONYMOUS=1");
	report_note(&t.report, "no room");
	expect_told(&t, "NOTE=no room");
	report_stopping(&t.report, "enough");
	expect_told(&t, "STOPPING=1\nSTATUS=enough");
	expect_silence(&t);
	end(&t);
}

/* What is written on standard error meanwhile. */
static void expect_logged(struct report_test *t, void (*say)(struct report_test *t), const char *text)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100), fds[2];
	char logged[512];
	ssize_t n;

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	say(t);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	n = read(fds[0], logged, sizeof(logged) - 1);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	assert_true(n > 0);
	logged[n] = '\0';
	assert_non_null(strstr(logged, text));
	expect_silence(t);
}

static void note(struct report_test *t)
{
	report_note(&t->report, "no room");
}

static void is_anonymous(struct report_test *t)
{
	report_anonymous(&t->report);
}

static void is_unreachable(struct report_test *t)
{
	struct target target = {.addr.ss_family = AF_INET, .len = sizeof(struct sockaddr_in)};

	report_unreachable(&t->report, &target, 80, ECONNREFUSED);
}

static void times_out(struct report_test *t)
{
	struct target target = {.addr.ss_family = AF_INET, .len = sizeof(struct sockaddr_in)};

	report_unreachable(&t->report, &target, 80, 0);
}

/* Run by hand, or by systemd itself. */
static void without_a_keeper_remarks_are_logged(void **state)
{
	struct report_test t;

	(void)state;
	start(&t, false);
	expect_told(&t, "READY=1\n");
	expect_logged(&t, note, "no room");
	expect_logged(&t, is_anonymous, CHANNEL_ANONYMOUS);
	expect_logged(&t, is_unreachable,
		      "a client was reset, as others may be: nothing listens on port 80 in the container");
	expect_logged(&t, times_out, "(it does not accept in time)");
	end(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_told_later),
		cmocka_unit_test(nothing_to_say_leaves_nothing_behind),
		cmocka_unit_test(a_keeper_looks_itself),
		cmocka_unit_test(every_counter_is_news),
		cmocka_unit_test(sums_are_of_all_workers),
		cmocka_unit_test(remarks_are_made_once),
		cmocka_unit_test(without_a_keeper_remarks_are_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
