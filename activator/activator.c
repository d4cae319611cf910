#include "activator/activator.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "activator/follow.h"
#include "activator/notify.h"
#include "activator/options.h"
#include "activator/sleep.h"
#include "activator/wake.h"
#include "common/log.h"
#include "common/signals.h"
#include "handover/exit.h"
#include "handover/refuse.h"

/* Nobody repeats a failed notification. */
static int notify(const struct options *o, struct error *err)
{
	if (notify_person(o, err) == 0)
		return EXIT_SUCCESS;
	log_line(LOG_ERR, "%s", err->text);
	return EXIT_FAILURE;
}

static int sleep_status(int r, const struct error *err)
{
	if (error_settle(r, err) == 0)
		return EXIT_SUCCESS;
	(void)refuse_queue(err);
	return err->code == ENOTCONN || err->code == ECONNRESET ? EXIT_UNAVAILABLE : EXIT_REFUSED;
}

int activator_run(int argc, char **argv)
{
	struct options o = {};
	struct error err = {};
	int status;

	(void)prctl(PR_SET_NAME, "activator"); /* executed by descriptor, its name would be a number */
	signals_survive_file_limit();
	(void)log_begin("activator");
	/* Harmless if no sockets were handed over. */
	refuse_on_signal("the activator");
	switch (error_settle(activator_options_parse(argc, argv, &o, &err), &err)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		(void)refuse_queue(&err);
		return EXIT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	if (o.mode == MODE_WAKE)
		return error_settle(wake(&o, &err), &err) < 0 ? refuse_queue(&err) : EXIT_SUCCESS;
	refuse_on_signal(NULL);
	if (o.mode == MODE_FOLLOW)
		return error_settle(follow(&o, &err), &err) < 0 ? EXIT_REFUSED : EXIT_SUCCESS;
	status = o.mode == MODE_SLEEP ? sleep_status(sleep_container(&o, argv, &err), &err) : notify(&o, &err);
	log_settle();
	return status;
}
