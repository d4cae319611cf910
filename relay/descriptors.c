#include "relay/descriptors.h"

#include <limits.h>
#include <sys/resource.h>

#include "common/extremes.h"

/* #before: prlimit64 */

void descriptors_init(struct descriptors *d, int used)
{
	struct rlimit limit = {.rlim_cur = 1024, .rlim_max = 1024};

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	atomic_init(&d->free, (int)least_of(limit.rlim_cur, INT_MAX / 2) - used);
}
