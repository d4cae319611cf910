/* Tests of refusals by the kernel: in a child process, a system call fails with a chosen error (seccomp(2)). */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSAL_SAYS_YES 42
#define REFUSAL_SAYS_NO	 43

/* From now on the call fails, in this process and in those that it starts. */
static inline void refuse_call(int call, int error)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (!ctx || seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)error), call, 0) < 0 || seccomp_load(ctx) < 0)
		_exit(REFUSAL_SAYS_NO + 1);
	seccomp_release(ctx);
}

/* The same, only if this argument, counted from 0, has this value. */
static inline void refuse_call_with(int call, unsigned argument, uint64_t value, int error)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	struct scmp_arg_cmp is = {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};

	if (!ctx || seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO((uint32_t)error), call, 1, &is) < 0 ||
	    seccomp_load(ctx) < 0)
		_exit(REFUSAL_SAYS_NO + 1);
	seccomp_release(ctx);
}

/* Runs BODY in a child process and returns its result. */
static inline bool child_says(bool (*body)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body() ? REFUSAL_SAYS_YES : REFUSAL_SAYS_NO);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != REFUSAL_SAYS_YES && WEXITSTATUS(status) != REFUSAL_SAYS_NO))
		fail_msg("the child ended with %x", status);
	return WEXITSTATUS(status) == REFUSAL_SAYS_YES;
}
