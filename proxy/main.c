/* proxy: relays between the sockets that systemd holds for an instance and the server inside its container.
 *
 * nshelper starts it inside the container's network namespace. The order of the steps matters: first everything that
 * needs a name or a privilege, then readiness, confinement, READY=1, and only then the first byte of a client.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "common/log.h"
#include "handover/exit.h"
#include "handover/refuse.h"
#include "handover/stats_text.h"
#include "proxy/await.h"
#include "proxy/prepare.h"

static int run(int argc, char **argv)
{
	static struct proxy p = {.pidfd = -1, .hold_fd = -1};
	char served[STATS_TEXT_MAX];
	struct error err;

	(void)prctl(PR_SET_NAME, "proxy"); /* otherwise named by the descriptor that was executed */
	(void)log_begin("proxy");
	refuse_on_signal("the proxy");
	(void)signal(SIGPIPE, SIG_IGN);
	switch (proxy_options_parse(argc, argv, &p.options, &err)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		refuse_queue(&err);
		return EXIT_USAGE;
	case OPTIONS_RUN:
		break;
	}
	if (p.options.await)
		return await_server(&p.options, &err) < 0 ? refuse_queue(&err) : EXIT_SUCCESS;
	if (prepare_proxy(&p, &err) < 0 || lifecycle_start(&p.lifecycle, &err) < 0)
		return refuse_queue(&err);
	if (lifecycle_run(&p.lifecycle, p.accepted, p.n_accepted, &err) < 0) {
		log_line(LOG_ERR, "%s", err.text);
		return EXIT_FAILURE;
	}
	if (!p.report.has_keeper) /* otherwise the keeper logs it */
		log_line(LOG_INFO, "%s; %s", p.lifecycle.reason,
			 stats_text_served(p.report.stats->connections_total, served));
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	return run(argc, argv);
}
