/* control/adopt_turns.c: who waits for whom, and who can exchange ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/adopt_turns.h"
#include "instance_fixture.h"
#include "tests/unit/address_fixture.h"

static struct adopt_request what;
static struct adoption a;
static struct container containers[4];
static struct adopt_turn turns[4];
static struct stored stored[4];

/* Containers a, b, c and d, with an instance at `has` each (0: none), who want to be at `wants`. */
static void arrange(const uint16_t has[4], const uint16_t wants[4])
{
	memset(turns, 0, sizeof(turns));
	a = (struct adoption){.what = &what, .instances = {.items = stored}};
	for (size_t k = 0; k < 4; k++) {
		struct publish p = {.type = SOCK_STREAM, .container_port = 80};

		strcpy(containers[k].name, (const char *[]){"a", "b", "c", "d"}[k]);
		turns[k].container = &containers[k];
		p.port = wants[k];
		turns[k].wish.instance.ports[0] = p;
		turns[k].wish.instance.n_ports = 1;
		p.port = has[k];
		if (has[k])
			stored[a.instances.n++] = (struct stored){
				.instance = {.name = containers[k].name,
					     .container_name = containers[k].name,
					     .adopted = true,
					     .ports = {p},
					     .n_ports = 1},
			};
	}
}

static const char *waiting(void)
{
	static char text[5];
	size_t len = 0;

	for (size_t k = 0; k < 4; k++) {
		if (adopt_turn_waits(&a, turns, 4, k))
			text[len++] = containers[k].name[0];
	}
	text[len] = '\0';
	return text;
}

static const char *moving(void)
{
	static char text[5];
	size_t len = 0, n = adopt_turns_move(&a, turns, 4);

	for (size_t k = 0; k < 4; k++) {
		if (turns[k].moves)
			text[len++] = containers[k].name[0];
	}
	text[len] = '\0';
	assert_int_equal(n, len);
	return text;
}

static void who_waits(void **state)
{
	(void)state;
	arrange((const uint16_t[]){1, 2, 3, 0}, (const uint16_t[]){1, 2, 3, 4});
	assert_string_equal(waiting(), "");
	/* a wants what b has, b what c has; c goes to a free one, and d is new */
	arrange((const uint16_t[]){1, 2, 3, 0}, (const uint16_t[]){2, 3, 4, 1});
	assert_string_equal(waiting(), "abd");
	turns[2].done = true;
	assert_string_equal(waiting(), "ad");
	/* not for somebody else's */
	stored[0].instance.adopted = stored[1].instance.adopted = false;
	assert_string_equal(waiting(), "");
}

static void who_exchanges(void **state)
{
	(void)state;
	arrange((const uint16_t[]){1, 2, 0, 0}, (const uint16_t[]){2, 1, 7, 8});
	assert_string_equal(moving(), "ab");
	arrange((const uint16_t[]){1, 2, 3, 0}, (const uint16_t[]){2, 3, 1, 8});
	assert_string_equal(moving(), "abc");
	turns[2].done = true; /* it was refused: who wants its port stays, and so on */
	assert_string_equal(moving(), "");
	/* somebody else's instance is in the way */
	arrange((const uint16_t[]){1, 2, 3, 4}, (const uint16_t[]){2, 1, 4, 3});
	stored[3].instance.adopted = false;
	assert_string_equal(moving(), "ab");
	/* two want the same */
	arrange((const uint16_t[]){1, 2, 3, 0}, (const uint16_t[]){2, 1, 1, 8});
	assert_string_equal(moving(), "ab");
}

/* … or a program that is no instance. */
static void what_is_in_use(void **state)
{
	uint16_t has[4] = {1, 2}, wants[4] = {2, 0, 7, 8};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	wants[1] = ntohs(in.sin_port);
	arrange(has, wants);
	assert_string_equal(moving(), "");
	close(fd);
	assert_string_equal(moving(), "ab");
	/* in a dry run, one that would be gone by now */
	a.freed = (struct stored_list){.items = &stored[3], .n = 1};
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	stored[3].instance.n_ports = 1;
	stored[3].instance.ports[0] = (struct publish){.type = SOCK_STREAM, .port = wants[1]};
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_string_equal(moving(), "ab");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits),
		cmocka_unit_test(who_exchanges),
		cmocka_unit_test(what_is_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
