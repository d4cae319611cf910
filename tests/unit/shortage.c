/* Each test is linked with this; the linker makes the allocations of our code come here (the Makefile's --wrap). */
#include "tests/unit/shortage.h"

#include <limits.h>
#include <stddef.h>

static unsigned left = UINT_MAX;

void shortage_after(unsigned n)
{
	left = n;
}

void shortage_end(void)
{
	left = UINT_MAX;
}

bool shortage_was_met(void)
{
	return left == UINT_MAX;
}

/* Of one thread: a test that uses this has no others. */
static bool is_short(void)
{
	return left != UINT_MAX && left-- == 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return is_short() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
	return is_short() ? NULL : __real_calloc(n, size);
}
