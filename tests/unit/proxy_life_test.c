/* How the proxy begins and ends: readiness, refusal, draining, the container's end, and what the keeper hears. */
#include "tests/unit/proxy_life_fixture.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>

#include "handover/channel.h"
#include "handover/exit.h"
#include "tests/unit/name_fixture.h"

/* One that could accept nobody would only keep them waiting. */
static void no_descriptors_for_a_connection(void **state)
{
	struct proxy_run p;
	int client;

	(void)state;
	start(&p, "infinity");
	p.descriptors = 60;
	client = connect_to(SOCK_STREAM, port);
	proxy_spawn(&p);
	proxy_expect_status(&p, "LimitNOFILE=");
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(client);
	close(server);
}

static void drains(void **state)
{
	struct proxy_run p;
	int client, target, late, accepted;

	(void)state;
	start(&p, "infinity");
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	kill(p.pid, SIGTERM);
	proxy_expect_status(&p, "STOPPING=1");
	late = connect_to(SOCK_STREAM, port);
	send_text(client, "finish");
	expect_text(target, "finish");
	send_text(target, "done");
	close(target);
	expect_text(client, "done");
	assert_int_equal(next_end(client), 0);
	close(client);
	/* The late one is still queued, for the next process. */
	accepted = fcntl(p.sockets[0], F_DUPFD_CLOEXEC, 10);
	assert_int_equal(proxy_wait(&p), 0);
	assert_int_equal(poll(&(struct pollfd){.fd = server, .events = POLLIN}, 1, 0), 0);
	assert_int_equal(poll(&(struct pollfd){.fd = accepted, .events = POLLIN}, 1, 0), 1);
	close(accepted);
	close(late);
	close(server);
}

static void drains_no_longer_than_told(void **state)
{
	struct proxy_run p;
	int client, target;

	(void)state;
	start(&p, "infinity");
	proxy_arg(&p, "--drain-timeout");
	proxy_arg(&p, "100ms");
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	assert_int_equal(proxy_stop(&p), 0);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(next_end(target), ECONNRESET);
	close(client);
	close(target);
	close(server);
}

static void container_ends(void **state)
{
	pid_t container = fork();
	struct proxy_run p;
	int client, target;

	(void)state;
	if (container == 0) {
		pause();
		_exit(0);
	}
	start(&p, "infinity");
	p.inherited = pidfd_open(container, 0);
	p.environment[0] = "SOCKWAKE_PIDFD=50";
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	send_text(target, "last words");
	expect_text(client, "last words");
	kill(container, SIGKILL);
	assert_int_equal(waitpid(container, NULL, 0), container);
	proxy_expect_status(&p, "STATUS=the container has ended");
	assert_int_equal(proxy_wait(&p), 0);
	assert_int_equal(next_end(client), ECONNRESET);
	close(p.inherited);
	close(client);
	close(target);
	close(server);
}

static void stopped_before_ready(void **state)
{
	struct proxy_run p;
	int client;

	(void)state;
	start(&p, "infinity");
	proxy_arg(&p, "--health-check");
	proxy_arg(&p, "sleep 60; false");
	client = connect_to(SOCK_STREAM, port);
	proxy_spawn(&p);
	wait_counter(&p.stats->t_accepting, 0);
	while (__atomic_load_n(&p.stats->t_proxy, __ATOMIC_RELAXED) == 0)
		usleep(1000);
	expect_name(p.pid, "proxy");
	kill(p.pid, SIGTERM);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(client);
	close(server);
}

static void never_ready(void **state)
{
	struct proxy_run p;
	int client;

	(void)state;
	start(&p, "infinity");
	close(server);
	proxy_arg(&p, "--startup-timeout");
	proxy_arg(&p, "200ms");
	client = connect_to(SOCK_STREAM, port);
	proxy_spawn(&p);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(client);
}

static void wrong_usage(void **state)
{
	struct proxy_run p;
	int client;

	(void)state;
	start(&p, "never");
	client = connect_to(SOCK_STREAM, port);
	proxy_spawn(&p);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(proxy_wait(&p), EXIT_USAGE);
	close(client);
	close(server);
}

static void socket_without_forward(void **state)
{
	struct proxy_run p;

	(void)state;
	start(&p, "infinity");
	p.sockets[p.n_sockets++] = bound(SOCK_STREAM);
	proxy_spawn(&p);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(server);
}

static void forward_without_socket(void **state)
{
	struct proxy_run p;

	(void)state;
	start(&p, "infinity");
	proxy_arg(&p, "--forward");
	proxy_arg(&p, "1234:80");
	proxy_spawn(&p);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(server);
}

/* Each message is one of its own; nothing goes to the service manager. */
static void reports_to_the_keeper(void **state)
{
	int ends[2], client, target, manager;
	struct proxy_run p;
	struct error err;

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	start(&p, "300ms");
	p.inherited = ends[1];
	p.environment[0] = "SOCKWAKE_KEEPER_FD=50";
	proxy_spawn(&p);
	close(ends[1]);
	manager = p.notify;
	p.notify = ends[0];
	proxy_expect_status(&p, "READY=1\nCOUNTED=1");
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	proxy_expect_status(&p, "COUNTED=1");
	assert_int_equal(p.stats->connections, 1);
	close(client);
	close(target);
	proxy_expect_status(&p, "STOPPING=1\nSTATUS=idle");
	assert_int_equal(poll(&(struct pollfd){.fd = manager, .events = POLLIN}, 1, 0), 0);
	assert_int_equal(proxy_wait(&p), 0);
	close(manager);
	close(server);
}

static void a_server_that_is_gone_is_told_to_the_keeper(void **state)
{
	int ends[2], client, manager;
	struct proxy_run p;
	struct error err;
	char deadline[64];

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	start(&p, "infinity");
	proxy_arg(&p, "--health-check");
	proxy_arg(&p, "none");
	snprintf(deadline, sizeof(deadline), "SOCKWAKE_DEADLINE=%llu",
		 (unsigned long long)(now_usec() + 200 * USEC_PER_MSEC));
	p.inherited = ends[1];
	p.environment[0] = "SOCKWAKE_KEEPER_FD=50";
	p.environment[1] = deadline;
	close(server);
	proxy_spawn(&p);
	close(ends[1]);
	manager = p.notify;
	p.notify = ends[0];
	client = connect_to(SOCK_STREAM, port);
	proxy_expect_status(&p, "UNREACHABLE=111");
	assert_int_equal(next_end(client), ECONNRESET);
	close(client);
	assert_int_equal(proxy_stop(&p), 0);
	close(manager);
}

/* A proxy whose keeper the test is, from now on p->notify. */
static void spawn_kept(struct proxy_run *p)
{
	char deadline[64];
	struct error err;
	int ends[2];

	assert_int_equal(channel_open(ends, &err), 0);
	snprintf(deadline, sizeof(deadline), "SOCKWAKE_DEADLINE=%llu",
		 (unsigned long long)time_from_now(PATIENCE_MSEC * USEC_PER_MSEC));
	p->inherited = ends[1];
	p->environment[0] = "SOCKWAKE_KEEPER_FD=50";
	p->environment[1] = deadline;
	proxy_spawn(p);
	close(ends[1]);
	close(p->notify);
	p->notify = ends[0];
}

/* How the server answered the health check. */
static void an_odd_answer_is_noted(void **state)
{
	static const struct {
		const char *answer, *note;
	} cases[] = {{"-DENIED Redis is running in protected mode\r\n", "is in protected mode"},
		     {"\x15\x03\x01", "speaks TLS"}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct proxy_run p;
		char question[64];
		int target;

		start(&p, "infinity");
		proxy_arg(&p, "--health-check");
		proxy_arg(&p, "redis");
		spawn_kept(&p);
		target = accept_from(server);
		assert_true(recv(target, question, sizeof(question), 0) > 0);
		send_text(target, cases[k].answer);
		proxy_expect_status(&p, "NOTE=");
		assert_non_null(strstr(p.status, cases[k].note));
		proxy_expect_status(&p, "READY=1");
		close(target);
		close(server);
		assert_int_equal(proxy_stop(&p), 0);
	}
}

/* For the next wakes: it is no temporary one. */
static void that_a_server_stays_on_loopback_is_noted(void **state)
{
	struct proxy_run p;

	(void)state;
	server = bound(SOCK_STREAM);
	proxy_init(&p);
	for (int k = 0; k < 2; k++) /* no --target */
		free(p.args[--p.n_args]);
	(void)proxy_forward(&p, SOCK_STREAM, port_of(server));
	proxy_arg(&p, "--startup-timeout");
	proxy_arg(&p, "200ms");
	spawn_kept(&p);
	proxy_expect_status(&p, "NOTE=");
	assert_non_null(strstr(p.status, "listens on loopback alone"));
	proxy_expect_status(&p, "READY=1");
	assert_int_equal(p.stats->flags & STATS_LOOPBACK, STATS_LOOPBACK);
	assert_int_equal(proxy_stop(&p), 0);
	close(server);
}

/* The service manager would kill it as well, but later: who came in between would be cut off. */
static void ends_with_the_keeper(void **state)
{
	int ends[2], told[2], proxy, ended;
	struct proxy_run p;
	struct error err;
	pid_t keeper, pid = 0;

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	start(&p, "infinity");
	keeper = fork();
	if (keeper == 0) {
		p.is_left_alone = true;
		p.inherited = ends[1];
		p.environment[0] = "SOCKWAKE_KEEPER_FD=50";
		proxy_spawn(&p);
		p.notify = ends[0];
		proxy_expect_status(&p, "READY=1");
		(void)!write(told[1], &p.pid, sizeof(p.pid));
		pause();
	}
	assert_int_equal(wait_readable(told[0]), 1);
	assert_int_equal(read(told[0], &pid, sizeof(pid)), sizeof(pid));
	proxy = pidfd_open(pid, 0);
	assert_true(proxy >= 0);
	kill(keeper, SIGKILL);
	waitpid(keeper, NULL, 0);
	ended = wait_readable(proxy);
	pidfd_send_signal(proxy, SIGKILL, NULL, 0);
	assert_int_equal(ended, 1);
	close(proxy);
	close(told[0]);
	close(told[1]);
	close(ends[0]);
	close(ends[1]);
	close(p.sockets[0]);
	close(server);
	for (size_t k = 0; k < p.n_args; k++)
		free(p.args[k]);
}

/* Why it failed, it tells the keeper, whose the queue is: the client goes on waiting. */
static void a_failure_is_told_to_the_keeper(void **state)
{
	struct proxy_run p;
	struct error err;
	int ends[2], client, queue, manager;

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	start(&p, "infinity");
	close(server);
	proxy_arg(&p, "--startup-timeout");
	proxy_arg(&p, "200ms");
	p.inherited = ends[1];
	p.environment[0] = "SOCKWAKE_KEEPER_FD=50";
	client = connect_to(SOCK_STREAM, port);
	queue = fcntl(p.sockets[0], F_DUPFD_CLOEXEC, 10);
	proxy_spawn(&p);
	close(ends[1]);
	manager = p.notify;
	p.notify = ends[0];
	proxy_expect_status(&p, "FAILED=");
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	assert_int_equal(poll(&(struct pollfd){.fd = queue, .events = POLLIN}, 1, 0), 1);
	assert_int_equal(poll(&(struct pollfd){.fd = client, .events = POLLIN}, 1, 0), 0);
	close(manager);
	close(queue);
	close(client);
}

static void accepted_by_the_keeper(void **state)
{
	struct proxy_run p;
	int client, target;

	(void)state;
	start(&p, "infinity");
	client = connect_to(SOCK_STREAM, port);
	p.inherited = accept_from(p.sockets[0]);
	p.environment[0] = "SOCKWAKE_ACCEPTED=50:0";
	send_text(client, "handed on");
	proxy_start(&p);
	close(p.inherited);
	target = accept_from(server);
	expect_text(target, "handed on");
	close(client);
	assert_int_equal(next_end(target), 0);
	close(target);
	assert_int_equal(proxy_stop(&p), 0);
	close(server);
}

static void status_says_what_happens(void **state)
{
	struct proxy_run p;
	int client, target;
	uint64_t begin;

	(void)state;
	start(&p, "infinity");
	proxy_start(&p);
	begin = now_usec();
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	send_text(client, "12345");
	expect_text(target, "12345");
	proxy_expect_status(&p, "STATUS=1 connection (1 in all); 5 B in, 0 B out");
	assert_true(now_usec() - begin > 800000);
	/* No change, no message. */
	assert_int_equal(poll(&(struct pollfd){.fd = p.notify, .events = POLLIN}, 1, 1300), 0);
	assert_int_equal(p.stats->connections, 1);
	assert_int_equal(p.stats->bytes_to_container, 5);
	close(client);
	close(target);
	assert_int_equal(proxy_stop(&p), 0);
	close(server);
}

/* The debug level tells each step up to the confinement. */
static void the_debug_level_tells_the_steps(void **state)
{
	int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 200), said = memfd_create("said", MFD_CLOEXEC);
	int listener = bound(SOCK_STREAM);
	char text[4096] = "", ready[64];
	struct proxy_run p;

	(void)state;
	proxy_init(&p);
	(void)proxy_forward(&p, SOCK_STREAM, port_of(listener));
	snprintf(ready, sizeof(ready), "the server on port %u is ready\n", port_of(listener));
	p.environment[0] = "SOCKWAKE_LOG=debug";
	assert_true(dup2(said, STDERR_FILENO) >= 0);
	proxy_start(&p);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	assert_int_equal(proxy_stop(&p), 0);
	assert_true(pread(said, text, sizeof(text) - 1, 0) > 0);
	assert_non_null(strstr(text, ready));
	assert_non_null(strstr(text, "confines itself\n"));
	close(before);
	close(said);
	close(listener);
}

/* That it listened on loopback alone at the last wake. */
static void what_was_known_of_the_server_is_forgotten(void **state)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct proxy_run p;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(listener, 5), 0);
	proxy_init(&p);
	for (int k = 0; k < 2; k++) /* no --target: it finds the addresses itself */
		free(p.args[--p.n_args]);
	(void)proxy_forward(&p, SOCK_STREAM, port_of(listener));
	p.flags = STATS_LOOPBACK;
	proxy_start(&p);
	assert_int_equal(p.stats->flags & STATS_LOOPBACK, 0);
	assert_int_equal(proxy_stop(&p), 0);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_debug_level_tells_the_steps),
		cmocka_unit_test(no_descriptors_for_a_connection),
		cmocka_unit_test(drains),
		cmocka_unit_test(drains_no_longer_than_told),
		cmocka_unit_test(container_ends),
		cmocka_unit_test(stopped_before_ready),
		cmocka_unit_test(never_ready),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(socket_without_forward),
		cmocka_unit_test(forward_without_socket),
		cmocka_unit_test(reports_to_the_keeper),
		cmocka_unit_test(a_server_that_is_gone_is_told_to_the_keeper),
		cmocka_unit_test(an_odd_answer_is_noted),
		cmocka_unit_test(that_a_server_stays_on_loopback_is_noted),
		cmocka_unit_test(ends_with_the_keeper),
		cmocka_unit_test(a_failure_is_told_to_the_keeper),
		cmocka_unit_test(accepted_by_the_keeper),
		cmocka_unit_test(status_says_what_happens),
		cmocka_unit_test(what_was_known_of_the_server_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
