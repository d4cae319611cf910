/* --transparent: the server in another network namespace sees the client's own address and port. */
#include "tests/unit/proxy_fixture.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "handover/mark.h"
#include "nshelper/transparent.h"
#include "tests/unit/address_fixture.h"

/* The rest of the process, with the sockets that it has, is inside a new namespace from here on, as after nshelper. */
static void enter_new_namespace(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct error err = {.text = ""};
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
	if (transparent_install(TRANSPARENT_MARK, &err) < 0)
		fail_msg("%s", err.text);
}

static int listening(const char *address, in_port_t port)
{
	struct address a = address_of(address, port);
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, &a.any, a.len), 0);
	assert_int_equal(listen(fd, 10), 0);
	return fd;
}

/* A client with an address of its own outside, the proxy and its server inside; the client waits in the queue first. */
static void converse(const char *listener, const char *client, const char *reached, const char *server, bool seen)
{
	static in_port_t port = 50000; /* another one each time: where it was used last, it may be in TIME-WAIT */
	struct proxy_run p;
	int outside, inside, target, fd;
	struct address a, peer = {0};
	socklen_t peer_len = sizeof(peer.storage);

	port++;
	proxy_init(&p);
	free(p.args[2]);
	p.args[2] = strdup("127.0.0.1");
	proxy_arg(&p, "--target");
	proxy_arg(&p, "::1");
	proxy_arg(&p, "--transparent");
	outside = listening(listener, 8088);
	p.sockets[p.n_sockets++] = outside;
	proxy_arg(&p, "--forward");
	proxy_arg(&p, "8088:80");
	a = address_of(client, port);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, &a.any, a.len), 0);
	a = address_of(reached, 8088);
	assert_int_equal(connect(fd, &a.any, a.len), 0);

	enter_new_namespace();
	inside = listening(server, 80);
	proxy_start(&p);
	assert_int_equal(wait_readable(inside), 1);
	target = accept4(inside, &peer.any, &peer_len, SOCK_CLOEXEC);
	assert_true(target >= 0);
	a = address_of(client, port);
	if (peer.any.sa_family == AF_INET6)
		peer.in6.sin6_flowinfo = 0;
	assert_int_equal(peer.any.sa_family == a.any.sa_family && memcmp(&peer.storage, &a.storage, a.len) == 0, seen);
	send_text(fd, "who am I");
	expect_text(target, "who am I");
	send_text(target, "you");
	expect_text(fd, "you");
	close(fd);
	close(target);
	close(inside);
	assert_int_equal(proxy_stop(&p), 0);
}

static void ipv4(void **state)
{
	(void)state;
	converse("0.0.0.0", "127.0.0.5", "127.0.0.1", "127.0.0.1", true);
}

static void ipv6(void **state)
{
	(void)state;
	converse("::", "::1", "::1", "::1", true);
}

static void ipv4_through_ipv6(void **state)
{
	(void)state;
	converse("::", "127.0.0.5", "127.0.0.1", "127.0.0.1", true);
}

/* Served all the same. */
static void other_family(void **state)
{
	(void)state;
	converse("::", "127.0.0.5", "127.0.0.1", "::1", false);
}

/* The client's address and port belong to the server itself. */
static void address_in_use(void **state)
{
	struct proxy_run p;
	int outside, inside, target, fd;
	struct address a;

	(void)state;
	proxy_init(&p);
	proxy_arg(&p, "--transparent");
	outside = listening("127.0.0.1", 8088);
	p.sockets[p.n_sockets++] = outside;
	proxy_arg(&p, "--forward");
	proxy_arg(&p, "127.0.0.1:8088:80");
	a = address_of("127.0.0.1", 80);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, &a.any, a.len), 0);
	a = address_of("127.0.0.1", 8088);
	assert_int_equal(connect(fd, &a.any, a.len), 0);
	enter_new_namespace();
	inside = listening("127.0.0.1", 80);
	proxy_start(&p);
	target = accept_from(inside);
	send_text(fd, "hello");
	expect_text(target, "hello");
	close(fd);
	close(target);
	close(inside);
	assert_int_equal(proxy_stop(&p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),		cmocka_unit_test(ipv6),		  cmocka_unit_test(ipv4_through_ipv6),
		cmocka_unit_test(other_family), cmocka_unit_test(address_in_use),
	};
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	/* The machine's own network is left alone. */
	if (unshare(CLONE_NEWNET) < 0 || (fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0 ||
	    ioctl(fd, SIOCSIFFLAGS, &lo) < 0) {
		perror("a network namespace is needed");
		return 1;
	}
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
