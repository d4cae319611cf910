/* common/stack.c: what a deep call has used is given back, and what is in use stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/stack.h"

#define DEEP (64 << 10)

__attribute__((noinline)) static void be_deep(void)
{
	volatile char room[DEEP];

	for (size_t k = 0; k < sizeof(room); k += 512)
		room[k] = 1;
}

/* Private memory of the stack in kB, from /proc/self/smaps. */
__attribute__((noinline)) static unsigned stack_size(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned size = 0, kb;
	char line[512];
	int in_stack = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "[stack]"))
			in_stack = 1;
		else if (in_stack && sscanf(line, "Private_Dirty: %u kB", &kb) == 1) {
			size = kb;
			break;
		}
	}
	fclose(f);
	return size;
}

static void only_what_is_below_goes(void **state)
{
	volatile char mine[8192];
	unsigned before, deep, after;

	(void)state;
	memset((char *)mine, 'x', sizeof(mine));
	before = stack_size();
	be_deep();
	deep = stack_size();
	stack_trim();
	after = stack_size();
	assert_true(deep >= before + DEEP / 1024 - 24);
	assert_true(after <= deep - DEEP / 1024 + 24);
	for (size_t k = 0; k < sizeof(mine); k++)
		assert_int_equal(mine[k], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_what_is_below_goes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
