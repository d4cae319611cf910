/* What `create --image` may be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance/made_container.h"

#define WORDS_MAX 1024

static bool passes(const struct made_container *o)
{
	struct error err;

	return made_container_validate(o, &err) == 0;
}

/* One member after the other takes each of these values; the first that does not do as it should fails. */
static void expect(const char *member, bool valid, const char *const *values)
{
	for (; *values; values++) {
		char *value = (char *)*values, *list[] = {(char *)"a=b", value, NULL};
		struct made_container o = {.image = (char *)"x"};

		if (strcmp(member, "image") == 0)
			o.image = value;
		else if (strcmp(member, "network") == 0)
			o.network = value;
		else if (strcmp(member, "environment") == 0)
			o.environment = list;
		else if (strcmp(member, "volumes") == 0)
			o.volumes = list + 1;
		else
			o.command = list;
		if (passes(&o) != valid)
			fail_msg("%s '%.80s' is %s", member, value, valid ? "refused" : "accepted");
	}
}

static void images(void **state)
{
	static const char *const valid[] = {"x", "docker.io/library/nginx:1.27", "a@sha256:ab", "image", NULL};
	static const char *const wrong[] = {"",		 "_/x",		"a b",	    "a?b",     "a..b",	"a/.b",
					    "a//b",	 "a/",		"a\n",	    "a.image", "a.pod", "a.build",
					    "a.network", "a.container", "a.volume", NULL};

	(void)state;
	expect("image", true, valid);
	expect("image", false, wrong);
	assert_false(passes(&(struct made_container){}));
}

static void networks(void **state)
{
	static const char *const valid[] = {"none", "pasta:-t,auto", "slirp4netns:mtu=1500", "ns:/run/x", "a+b", NULL};
	static const char *const wrong[] = {"", ".", "a b", "a;b", "a.network", "b.pod", NULL};

	(void)state;
	expect("network", true, valid);
	expect("network", false, wrong);
}

static void variables(void **state)
{
	static const char *const valid[] = {"A=b", "a.b-c_d=", "A=b=c d", NULL};
	static const char *const wrong[] = {"", "A", "=b", "A B=c", "A=b\nc", "A=\x80", NULL};

	(void)state;
	expect("environment", true, valid);
	expect("environment", false, wrong);
}

static void volumes(void **state)
{
	static const char *const valid[] = {"/a:/b", "data:/b", "data:/b:ro,z", "/a:/b:bind-propagation=rslave", NULL};
	static const char *const wrong[] = {"",		  "/a",		 "a:b",	      "/a:/b:",	    ":/b",
					    "/a/../b:/c", "/a:/b/../c",	 "/a :/b",    "/a:/b ",	    "/a\\:/b",
					    "/a:/b\\",	  "a.volume:/b", "/a:/b:r o", "/a:/b:ro:z", NULL};

	(void)state;
	expect("volumes", true, valid);
	expect("volumes", false, wrong);
}

static void words(void **state)
{
	static const char *const valid[] = {";;", "a b", "-", " ", NULL};
	static const char *const wrong[] = {"", ";", "a\nb", "\x80", NULL};

	(void)state;
	expect("command", true, valid);
	expect("command", false, wrong);
}

/* N times the letter, behind the text. */
static char *longer(const char *text, size_t n)
{
	size_t len = strlen(text);
	char *s = calloc(1, len + n + 1);

	assert_non_null(s);
	memcpy(s, text, len);
	memset(s + len, 'a', n);
	return s;
}

static void expect_at_most(const char *member, const char *text, size_t most)
{
	for (size_t k = 0; k <= 1; k++) {
		char *s = longer(text, most - strlen(text) + k);

		expect(member, k == 0, (const char *const[]){s, NULL});
		free(s);
	}
}

static void lengths(void **state)
{
	char *list[WORDS_MAX + 2] = {};
	struct made_container o = {.image = (char *)"x", .command = list};

	(void)state;
	/* a volume with the longest paths, and one with an option beside them */
	{
		char *path = longer("/", 4094), *text = calloc(1, 8200), *more;

		snprintf(text, 8200, "%s:%s", path, path);
		assert_int_equal(strlen(text), 8191);
		expect("volumes", true, (const char *const[]){text, NULL});
		more = longer(text, 0);
		snprintf(text, 8200, "%.8190s:r", more);
		expect("volumes", false, (const char *const[]){text, NULL});
		free(more);
		free(text);
		free(path);
	}
	expect_at_most("image", "", 512);
	expect_at_most("network", "", 512);
	expect_at_most("environment", "A=", 64 << 10);
	expect_at_most("command", "", 64 << 10);
	for (size_t k = 0; k < WORDS_MAX; k++)
		list[k] = (char *)"a";
	assert_true(passes(&o));
	list[WORDS_MAX] = (char *)"a";
	assert_false(passes(&o));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(images),  cmocka_unit_test(networks), cmocka_unit_test(variables),
		cmocka_unit_test(volumes), cmocka_unit_test(words),    cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
