/* Hand-overs of the proxy, each stopped in the middle: between the queue and a worker, between two workers, at the last
 * look before the end, and at the end itself. Nobody is lost there. */
#include "tests/unit/proxy_fixture.h"

#include <sys/pidfd.h>

#include "tests/unit/fault_fixture.h"

static int server;
static uint16_t port;

static int client_says(const char *text)
{
	int fd = connect_to(SOCK_STREAM, port);

	send_text(fd, text);
	return fd;
}

/* The server gets it, and its answer arrives. */
static void expect_served(int client, const char *text)
{
	int target = accept_from(server);

	expect_text(target, text);
	send_text(target, "answer");
	expect_text(client, "answer");
	close(client);
	assert_int_equal(next_end(target), 0);
	close(target);
}

/* Another process with the same listener, as the next wake has it. */
static void expect_served_by_the_next(struct proxy_run *p, int client, const char *text)
{
	struct proxy_run next = *p;
	int status;

	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_int_equal(status, 0);
	close(p->notify);
	proxy_start(&next);
	expect_served(client, text);
	assert_int_equal(proxy_stop(&next), 0);
}

static pid_t container_begin(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

static void container_end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The first worker stands at its idle time-out while somebody connects: another one takes the client. */
static void let_another_worker_take(struct fault *first, struct fault *taken, int *ret_client)
{
	fault_await(first);
	*ret_client = client_says("me");
	fault_await(taken);
	assert_int_not_equal(taken->tid, first->tid);
}

/* Whoever is in the queue when the idle time-out is over is served at once, not by a process that begins anew. */
static void who_comes_before_the_last_look_is_served(void **state)
{
	struct fault looks = fault_at("idle:looks");
	struct proxy_run p;
	int client;

	(void)state;
	server = proxy_before_server(&p, "1", "20ms", &port);
	proxy_start(&p);
	fault_await(&looks);
	client = client_says("me");
	fault_go_on(&looks);
	fault_await(&looks); /* again: it has not ended */
	fault_pass(&looks);
	expect_served(client, "me");
	assert_int_equal(proxy_wait(&p), 0);
	assert_int_equal(p.stats->connections_total, 1);
	close(server);
}

/* The first worker has decided to end, and another one is told of a new client: it leaves it to the next process. */
static void no_worker_accepts_once_the_first_ends(void **state)
{
	struct fault ends = fault_at("idle:ends"), begins = fault_at("accept:begins");
	struct proxy_run p;
	int client;

	(void)state;
	server = proxy_before_server(&p, "2", "20ms", &port);
	proxy_start(&p);
	fault_await(&begins); /* the last look of the first */
	fault_go_on(&begins);
	fault_await(&ends);
	client = client_says("me");
	fault_await(&begins);
	assert_int_not_equal(begins.tid, ends.tid);
	fault_go_on(&begins);
	/* It has turned back, and is told again. A proxy that ended now would take along whom it had taken. */
	fault_await(&begins);
	fault_pass(&ends);
	fault_pass(&begins);
	expect_served_by_the_next(&p, client, "me");
	close(server);
}

/* A worker holds a client whom nobody has counted yet: the first must not take that for idle. */
static void it_does_not_end_while_a_worker_accepts(void **state)
{
	struct fault looks = fault_at("idle:looks"), taken = fault_at("accept:taken");
	struct proxy_run p;
	int client;

	(void)state;
	server = proxy_before_server(&p, "2", "20ms", &port);
	proxy_start(&p);
	let_another_worker_take(&looks, &taken, &client);
	fault_go_on(&looks);
	fault_await(&looks);
	fault_pass(&looks);
	fault_pass(&taken);
	expect_served(client, "me");
	assert_int_equal(proxy_wait(&p), 0);
	close(server);
}

/* The same while the client lies in a worker's pipe, and nobody accepts any more. */
static void it_does_not_end_while_somebody_is_handed_over(void **state)
{
	struct fault looks = fault_at("idle:looks"), told = fault_at("hand:told");
	struct proxy_run p;
	int first, second, target;

	(void)state;
	server = proxy_before_server(&p, "2", "20ms", &port);
	/* The first worker serves the first one itself, and so the other worker has fewer. */
	first = client_says("first");
	p.inherited = accept_from(p.sockets[0]);
	second = client_says("second");
	p.inherited_too = accept_from(p.sockets[0]);
	p.environment[0] = "SOCKWAKE_ACCEPTED=50:0,49:0";
	proxy_start(&p);
	close(p.inherited);
	close(p.inherited_too);
	fault_await(&told);
	assert_int_not_equal(told.tid, told.pid);
	fault_await(&looks);
	target = accept_from(server);
	expect_text(target, "first");
	close(target);
	close(first);
	/* What has happened since then counts at one of these looks, and its idle time-out is over at the next. */
	for (int i = 0; i < 5; i++) {
		fault_go_on(&looks);
		fault_await(&looks);
	}
	fault_pass(&looks);
	fault_pass(&told);
	expect_served(second, "second");
	assert_int_equal(proxy_wait(&p), 0);
	close(server);
}

/* The container ends, and with it the loop of the first worker, before another one hands it a client. Nobody can serve that
 * client, who must not take that for an answer. */
static void who_is_handed_to_a_worker_that_has_ended_is_reset(void **state)
{
	struct fault looks = fault_at("idle:looks"), taken = fault_at("accept:taken"), ends = fault_at("worker:ends");
	pid_t container = container_begin();
	struct proxy_run p;
	int first, second;

	(void)state;
	server = proxy_before_server(&p, "2", "20ms", &port);
	p.inherited = pidfd_open(container, 0);
	p.environment[0] = "SOCKWAKE_PIDFD=50";
	proxy_start(&p);
	/* With the first one, the other worker has more than the first worker. */
	let_another_worker_take(&looks, &taken, &first);
	fault_go_on(&taken);
	second = connect_to(SOCK_STREAM, port);
	fault_await(&taken);
	container_end(container);
	fault_pass(&looks);
	fault_await(&ends);
	assert_int_equal(ends.tid, ends.pid);
	fault_pass(&taken);
	fault_pass(&ends);
	assert_int_equal(proxy_wait(&p), 0);
	assert_int_equal(next_end(second), ECONNRESET);
	close(p.inherited);
	close(first);
	close(second);
	close(server);
}

/* SIGTERM while another worker holds a client whom nobody has counted yet. */
static void a_drain_waits_for_who_is_being_accepted(void **state)
{
	struct fault looks = fault_at("idle:looks"), taken = fault_at("accept:taken"), waits = fault_at("drain:waits");
	struct proxy_run p;
	int client;

	(void)state;
	server = proxy_before_server(&p, "2", "20ms", &port);
	proxy_start(&p);
	let_another_worker_take(&looks, &taken, &client);
	kill(p.pid, SIGTERM);
	fault_pass(&looks);
	fault_await(&waits);
	fault_pass(&waits);
	fault_pass(&taken);
	expect_served(client, "me");
	assert_int_equal(proxy_wait(&p), 0);
	close(server);
}

/* The first worker drains, and is handed a client by another one who could not know. */
static void a_drain_serves_who_is_handed_over(void **state)
{
	struct fault looks = fault_at("idle:looks"), taken = fault_at("accept:taken"), waits = fault_at("drain:waits");
	struct proxy_run p;
	int first, second;

	(void)state;
	server = proxy_before_server(&p, "2", "20ms", &port);
	proxy_start(&p);
	let_another_worker_take(&looks, &taken, &first);
	fault_go_on(&taken);
	second = client_says("me, too");
	fault_await(&taken);
	kill(p.pid, SIGTERM);
	fault_pass(&looks);
	fault_await(&waits);
	fault_pass(&waits);
	fault_pass(&taken);
	expect_served(first, "me");
	expect_served(second, "me, too");
	assert_int_equal(proxy_wait(&p), 0);
	close(server);
}

/* Told to stop before it has adopted whom the keeper has accepted. */
static void a_drain_serves_who_was_accepted_by_the_keeper(void **state)
{
	struct fault begins = fault_at("adopt:begins");
	struct proxy_run p;
	int client;

	(void)state;
	server = proxy_before_server(&p, "1", "infinity", &port);
	client = client_says("me");
	p.inherited = accept_from(p.sockets[0]);
	p.environment[0] = "SOCKWAKE_ACCEPTED=50:0";
	proxy_spawn(&p);
	close(p.inherited);
	fault_await(&begins);
	kill(p.pid, SIGTERM);
	fault_pass(&begins);
	expect_served(client, "me");
	assert_int_equal(proxy_wait(&p), 0);
	close(server);
}

/* What the server says as its container ends still arrives. */
static void the_last_words_of_a_server_arrive(void **state)
{
	struct fault ends = fault_at("worker:ends");
	pid_t container = container_begin();
	struct proxy_run p;
	int client, target;

	(void)state;
	server = proxy_before_server(&p, "1", "infinity", &port);
	p.inherited = pidfd_open(container, 0);
	p.environment[0] = "SOCKWAKE_PIDFD=50";
	proxy_start(&p);
	client = client_says("me");
	target = accept_from(server);
	expect_text(target, "me");
	container_end(container);
	fault_await(&ends);
	send_text(target, "last words");
	fault_pass(&ends);
	expect_text(client, "last words");
	assert_int_equal(proxy_wait(&p), 0);
	close(p.inherited);
	close(client);
	close(target);
	close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(who_comes_before_the_last_look_is_served, faults_clear),
		cmocka_unit_test_teardown(no_worker_accepts_once_the_first_ends, faults_clear),
		cmocka_unit_test_teardown(it_does_not_end_while_a_worker_accepts, faults_clear),
		cmocka_unit_test_teardown(it_does_not_end_while_somebody_is_handed_over, faults_clear),
		cmocka_unit_test_teardown(who_is_handed_to_a_worker_that_has_ended_is_reset, faults_clear),
		cmocka_unit_test_teardown(a_drain_waits_for_who_is_being_accepted, faults_clear),
		cmocka_unit_test_teardown(a_drain_serves_who_is_handed_over, faults_clear),
		cmocka_unit_test_teardown(a_drain_serves_who_was_accepted_by_the_keeper, faults_clear),
		cmocka_unit_test_teardown(the_last_words_of_a_server_arrive, faults_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
