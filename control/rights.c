#include "control/rights.h"

#include <errno.h>
#include <unistd.h>

int rights_require(enum scope scope, struct error *err)
{
	if (scope == SCOPE_SYSTEM && geteuid() != 0)
		return error_set(err, EACCES,
				 "only root may change what the system runs: use sudo, or --scope user for your own");
	return 0;
}
