/* Memory that runs out: in place of the C library's, these fail when a test says so. cJSON has hooks for the same. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t memory_left = SIZE_MAX; /* allocations until one fails */
static bool memory_failed;

static inline bool memory_fails(void)
{
	if (memory_left == SIZE_MAX || memory_left-- > 0)
		return false;
	memory_left = SIZE_MAX;
	memory_failed = true;
	errno = ENOMEM;
	return true;
}

/* The allocation after n others fails, and no other. */
static inline void memory_fail_after(size_t n)
{
	memory_left = n;
	memory_failed = false;
}

/* Did it come to the one that should fail? No more fail. */
static inline bool memory_has_failed(void)
{
	memory_left = SIZE_MAX;
	return memory_failed;
}

static inline void *memory_of(size_t size)
{
	return memory_fails() ? NULL : malloc(size);
}

/* Calls f() with each of its allocations failing in turn, until all succeed. f() says whether it has succeeded, which it
 * must not have if one has failed. */
static inline void memory_each(bool (*f)(void), size_t least)
{
	size_t n = 0;
	bool succeeded;

	cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = memory_of, .free_fn = free});
	for (;; n++) {
		memory_fail_after(n);
		succeeded = f();
		if (!memory_has_failed())
			break;
		if (succeeded)
			fail_msg("allocation %zu fails, and nothing is told", n);
	}
	cJSON_InitHooks(NULL);
	assert_true(succeeded);
	if (n < least)
		fail_msg("only %zu allocations", n);
}

void *calloc(size_t n, size_t size)
{
	void *p = memory_of(n * size);

	if (p)
		explicit_bzero(p, n * size); /* the compiler makes a calloc() of a memset() */
	return p;
}

void *reallocarray(void *old, size_t n, size_t size)
{
	return memory_fails() ? NULL : realloc(old, n * size);
}

char *strndup(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *copy = memory_of(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

char *strdup(const char *s)
{
	return strndup(s, strlen(s));
}

FILE *open_memstream(char **text, size_t *len)
{
	FILE *(*next)(char **, size_t *);

	*(void **)&next = dlsym(RTLD_NEXT, "open_memstream");
	return memory_fails() ? NULL : next(text, len);
}
