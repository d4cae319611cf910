/* common/nearest.c: what was meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/nearest.h"

static void what_was_meant(void **state)
{
	static const char *const words[] = {"list", "status", "sleep", "idle-timeout", "idle-action", "db"};
	static const struct {
		const char *word, *meant;
	} known[] = {
		{"list", "list"},
		{"lst", "list"},   /* missing */
		{"lisst", "list"}, /* one too many */
		{"lisk", "list"},  /* another one */
		{"ilst", "list"},  /* exchanged */
		{"sttaus", "status"},
		{"stattu", "status"}, /* two slips in six letters */
		{"idel-tiemout", "idle-timeout"},
		{"idle-acton", "idle-action"},
		{"slap", NULL}, /* two slips in four letters */
		{"dc", NULL},	/* half of it is another */
		{"x", NULL},
		{"", NULL},
	};
	char longest[300];

	(void)state;
	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		const char *found = nearest(known[k].word, words, sizeof(words) / sizeof(*words));

		if (known[k].meant)
			assert_string_equal(found ? found : "", known[k].meant);
		else
			assert_null(found);
	}
	/* One exchange counts as one slip, two letters that only look like one as two. */
	assert_null(nearest("abcx", (const char *const[]){"abyc"}, 1));
	assert_null(nearest("abxc", (const char *const[]){"abcy"}, 1));
	/* words of up to 64 letters */
	for (size_t length = 63; length <= 65; length++) {
		char word[80] = "", other[80] = "";

		memset(word, 'a', length);
		memset(other, 'a', length - 1);
		assert_int_equal(nearest(word, (const char *const[]){other}, 1) != NULL, length <= 64);
		assert_int_equal(nearest(other, (const char *const[]){word}, 1) != NULL, length <= 64);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(nearest(longest, (const char *const[]){longest}, 1));
	assert_null(nearest("list", words, 0));
}

/* Of two that are as near, the one that comes first; a nearer one, wherever it is. */
static void the_nearest(void **state)
{
	(void)state;
	assert_string_equal(nearest("webs", (const char *const[]){"weba", "webb"}, 2), "weba");
	assert_string_equal(nearest("shop-webx", (const char *const[]){"shop-db", "shop-wbx", "shop-web"}, 3),
			    "shop-wbx");
	assert_string_equal(nearest("shop-webxx", (const char *const[]){"shop-wbx", "shop-webx"}, 2), "shop-webx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_meant),
		cmocka_unit_test(the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
