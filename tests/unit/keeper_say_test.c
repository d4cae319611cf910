/* What the keeper says of itself, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "keeper/say.h"

static void a_sentence_is_not_repeated_within_a_minute(void **state)
{
	static struct keeper k;
	uint64_t before = now_usec(), said;

	(void)state;
	keeper_say(&k, LOG_INFO, "one");
	assert_string_equal(k.said, "one");
	said = k.said_at;
	assert_true(said >= before);
	while (now_usec() == said)
		;
	keeper_say(&k, LOG_INFO, "one");
	assert_int_equal(k.said_at, said);
	keeper_say(&k, LOG_INFO, "two");
	assert_string_equal(k.said, "two");
	assert_true(k.said_at > said);
	k.said_at = said = now_usec() - 61 * USEC_PER_SEC;
	keeper_say(&k, LOG_INFO, "two");
	assert_true(k.said_at > said);
}

static bool extends(struct keeper *k, int fd)
{
	char text[64];
	ssize_t n;

	keeper_extend(k);
	n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	return strcmp(text, "EXTEND_TIMEOUT_USEC=30000000") == 0;
}

/* The manager's patience is asked for once in a period, and not for ever by one that was told to stop. */
static void more_time_is_asked_for_now_and_then(void **state)
{
	static struct keeper k;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	k.notify_fd = fds[0];
	assert_true(extends(&k, fds[1]));
	assert_false(extends(&k, fds[1]));
	k.extended = now_usec() - KEEPER_PERIOD - 1;
	k.told_to_stop = now_usec();
	assert_true(extends(&k, fds[1]));
	k.extended = now_usec() - KEEPER_PERIOD - 1;
	k.told_to_stop = now_usec() - KEEPER_PATIENCE - 1;
	assert_false(extends(&k, fds[1]));
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sentence_is_not_repeated_within_a_minute),
		cmocka_unit_test(more_time_is_asked_for_now_and_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
