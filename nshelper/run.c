/* Theory of operation.
 *
 *	1. look	    opens and checks everything in the caller's namespaces: the pidfd, the network namespace, the user
 *		    namespace that owns it, the container's root directory, the system user's numbers. After the first
 *		    setns() /proc/self belongs to another user, and /etc could be the wrong one.
 *	2. enter    setns(), first into the user namespace if only that gives the right to enter the other. From here
 *		    on no process in there may trace this one.
 *	3. arrange  for --outside-source and --transparent, with the capabilities gained by entering.
 *	4. drop	    the user, all capabilities, the ways to regain them; reads everything back. With --unreachable,
 *		    checks that the container cannot reach the command either.
 *	5. exec	    the PID stays, so LISTEN_PID and NOTIFY_SOCKET stay right.
 *
 * nshelper is one process with one thread throughout: setns() into a user namespace requires that. A step that fails
 * ends the program; nothing runs with half of the privileges gone. Up to the exec, SIGTERM refuses the queue. The exec
 * itself restores the default actions, so no signal falls between the two programs.
 */
#include "nshelper/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"
#include "handover/channel.h"
#include "handover/environment.h"
#include "handover/exit.h"
#include "handover/listen.h"
#include "handover/refuse.h"
#include "handover/sources.h"
#include "nshelper/enter.h"
#include "nshelper/options.h"
#include "nshelper/outside.h"
#include "nshelper/privileges.h"
#include "nshelper/target.h"
#include "nshelper/transparent.h"
#include "nshelper/unreachable.h"

/* Makes the routes of --outside-source, and passes the addresses to the next program. Changes nothing in the host's
 * network. */
static int arrange_sources(const struct entry *e, struct error *err)
{
	bool host = e->netns < 0, ipv6 = false;

	if (!host && outside_install(&ipv6, err) < 0)
		return -1;
	return sources_hand_on(host, ipv6, err);
}

static int export_all(const struct nshelper_options *o, const struct target *t, struct error *err)
{
	return target_keep_over_exec(t, err) < 0 ||
			       environment_set_number(VARIABLE_PIDFD, (uint64_t)t->pidfd, err) < 0 ||
			       (o->container_root &&
				environment_set_number(VARIABLE_ROOT, (uint64_t)t->root, err) < 0) ||
			       (o->transparent && environment_set_number(VARIABLE_MARK, o->mark, err) < 0)
		       ? -1
		       : 0;
}

/* The program that the keeper opened before anybody could replace it by another version. -1: there is no keeper. */
static int keepers_program(void)
{
	struct error ignored;
	int fd;

	return environment_fd(VARIABLE_EXEC, &fd, &ignored) < 0 ? -1 : fd;
}

/* Steps 1 to 4. The exec or the end of the process closes the descriptors that stay open. */
static int become(const struct nshelper_options *o, struct error *err)
{
	struct target target;
	struct identity identity;
	struct entry entry;

	if (o->user && identity_find(o->user, &identity, err) < 0)
		return -1;
	if (target_open(o->pid, o->pidfd, o->container_root, &target, err) < 0)
		return -1;
	if (entry_plan(target.netns, &entry, err) < 0)
		return error_context(err, "cannot enter the network namespace of process %d", target.pid);
	if (o->user && entry.userns >= 0)
		return error_set(err, EPERM,
				 "cannot become the user %s inside of the container's user namespace: --user needs "
				 "CAP_SYS_ADMIN outside of it (CapabilityBoundingSet= of the unit)",
				 o->user);
	if (o->transparent && entry.netns < 0)
		return error_set(err, EINVAL,
				 "--transparent would change the routes of the host, because the container uses the "
				 "host's network: leave it out");
	if (unreachable_become(err) < 0)
		return -1;
	if (entry_enter(&entry, err) < 0)
		return error_context(err, "cannot enter the network namespace of process %d", target.pid);
	log_debug(entry.netns < 0 ? "process %d uses the host's network: there is nothing to enter"
				  : "has entered the network namespace of process %d",
		  target.pid);
	if (o->outside_source && arrange_sources(&entry, err) < 0)
		return -1;
	if (o->transparent && transparent_install(o->mark, err) < 0)
		return -1;
	if (export_all(o, &target, err) < 0)
		return -1;
	if (privileges_drop(
		    &(struct privileges){
			    .identity = o->user ? &identity : NULL,
			    .keep_net_raw = o->transparent,
			    .bounding_may_stay = entry.netns < 0 && geteuid() != 0,
		    },
		    err) < 0)
		return -1;
	log_debug("has dropped all privileges; executes '%s'", o->command[0]);
	return o->unreachable ? unreachable_check(keepers_program(), o->command[0], err) : 0;
}

/* Logs the error once. With sockets from systemd, refuses the queue: otherwise systemd would start us again for it. */
static int fail(int status, const struct error *err)
{
	struct error ignored;
	int count;

	if (channel_inherited() < 0 && (listen_fds(&count, &ignored) < 0 || count == 0)) {
		log_line(LOG_ERR, "%s", err->text);
		return status;
	}
	(void)refuse_queue(err);
	return status == EXIT_USAGE ? EXIT_USAGE : EXIT_REFUSED;
}

static void execute(char **command)
{
	int fd = keepers_program();

	if (fd < 0) {
		execvp(command[0], command);
		return;
	}
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	environment_unset(VARIABLE_EXEC);
	log_hand_on();
	/* With its caches, the GNU C library would keep for good the 50 kB that building the system call filter
	 * takes. */
	(void)setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 0);
	(void)execveat(fd, "", command, environ, AT_EMPTY_PATH);
}

int nshelper_run(int argc, char *argv[])
{
	struct nshelper_options options;
	struct error err;
	int status;

	(void)prctl(PR_SET_NAME, "nshelper"); /* otherwise named by the descriptor that was executed */
	(void)log_begin("nshelper");
	refuse_on_signal("nshelper");
	switch (nshelper_options_parse(argc, argv, &options, &err)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return fail(EXIT_USAGE, &err);
	case OPTIONS_RUN:
		break;
	}
	if (become(&options, &err) < 0)
		return fail(EXIT_FAILURE, &err);
	execute(options.command);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXEC;
	error_errno(&err, errno, "cannot execute '%s'", options.command[0]);
	return fail(status, &err);
}
