#include "activator/activator.h"

#include <stdlib.h>

#include "activator/notify.h"
#include "activator/options.h"
#include "activator/sleep.h"
#include "activator/wake.h"
#include "common/clock.h"
#include "common/exit.h"
#include "common/log.h"
#include "common/refuse.h"

static int failed(const struct error *err)
{
	log_line(LOG_ERR, "%s", err->text);
	return EXIT_FAILURE;
}

int activator_run(int argc, char **argv)
{
	uint64_t t_main = now_usec();
	struct options o = {};
	struct error err;

	/* Harmless where nothing was handed over: --sleep and --notify get no sockets. */
	refuse_on_signal("the activator");
	if (options_parse(argc, argv, &o, &err) < 0) {
		(void)refuse_queue(&err);
		return EXIT_USAGE;
	}
	if (o.mode == MODE_WAKE)
		return wake(&o, t_main, &err) < 0 ? refuse_queue(&err) : EXIT_SUCCESS;
	refuse_on_signal(NULL);
	if (o.mode == MODE_SLEEP)
		return put_to_sleep(&o, &err) < 0 ? failed(&err) : EXIT_SUCCESS;
	return notify_person(&o, &err) < 0 ? failed(&err) : EXIT_SUCCESS;
}
