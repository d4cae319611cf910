#include "common/stack.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Deeper than any of our programs calls; the kernel keeps more than that free below a stack (stack_guard_gap). */
#define DEPTH (128U << 10)

/* Where nothing is mapped, nothing is given back (madvise(2), ENOMEM). The page of this frame stays, and the one below it,
 * which madvise() itself may use. */
__attribute__((noinline)) void stack_trim(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t end = here / page * page - page;
	int saved = errno;

	(void)madvise((void *)(end - DEPTH / page * page), DEPTH / page * page, MADV_DONTNEED);
	errno = saved;
}
