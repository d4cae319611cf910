#include "control/router.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/note.h"
#include "control/router_docker.h"
#include "control/router_hosts.h"
#include "control/router_notes.h"
#include "control/router_report.h"
#include "control/router_units.h"
#include "control/signals.h"
#include "control/units_lock.h"
#include "units/listen_addresses.h"
#include "units/paths.h"

struct change {
	struct manager *manager;
	struct router_units units;
	struct router_move move;
	struct router_docker docker; /* as it was before; empty if it does not run */
	char *allowed;		     /* containers, by the configuration */
	char unit_file[PATH_MAX];
	char others[1024]; /* lines for the drop-in: where docker.socket listens besides */
	bool served;	   /* Docker ran before */
	bool listened;	   /* its socket did */
	int lock;
};

static void clear(struct change *c)
{
	manager_close(&c->manager);
	router_docker_clear(&c->docker);
	free(c->allowed);
	close_fd(&c->lock);
}

static int require_root(const char *command, struct error *err)
{
	if (geteuid() == 0)
		return 0;
	return error_set(err, EACCES, "only root may move the system's Docker socket: sudo sockwake router %s",
			 command);
}

static bool has_group(const char *name)
{
	return getgrnam(name) != NULL;
}

static int find_unit(struct change *c, struct error *err)
{
	static const char *const name = ROUTER_SOCKET_UNIT;
	struct unit_state state = {};
	int r = manager_examine(c->manager, &name, 1, &state, err);

	/* A new version was installed. */
	if (r == 0 && state.need_reload)
		r = manager_reload(c->manager, err);
	if (r == 0 && strcmp(state.load_state, "loaded") == 0)
		(void)snprintf(c->unit_file, sizeof(c->unit_file), "%s", state.fragment_path);
	unit_states_clear(&state, 1);
	if (r == 0 && !*c->unit_file)
		return error_set(err, ENOENT,
				 "systemd knows no " ROUTER_SOCKET_UNIT
				 ": install sockwake for the whole system ('sudo make install')");
	return r;
}

/* A drop-in that moves one address must name them all. */
static void keep_address(void *data, const char *kind, const char *address)
{
	static const char *const moved[] = {ROUTER_SOCKET, "/var" ROUTER_SOCKET, ROUTER_ENGINE_SOCKET};
	struct change *c = data;
	size_t used = strlen(c->others);

	for (size_t k = 0; k < sizeof(moved) / sizeof(*moved); k++) {
		if (strcmp(address, moved[k]) == 0)
			return;
	}
	if (strcmp(kind, "Stream") == 0)
		(void)snprintf(c->others + used, sizeof(c->others) - used, "ListenStream=%s\n", address);
}

static int find_addresses(struct change *c, struct error *err)
{
	static const char *const name = DOCKER_SOCKET_UNIT;
	struct unit_state state = {};
	int r = manager_query(c->manager, &name, 1, &state, err);

	if (r == 0 && strcmp(state.load_state, "loaded") == 0)
		r = listen_addresses_each(c->manager, state.object, keep_address, c, err);
	unit_states_clear(&state, 1);
	return r;
}

/* The last moment before Docker is restarted: the router answers, and no container ends that was started meanwhile. NULL, or
 * a socket of nobody: a command that was broken off has been here before. */
static int confirm(void *data, const char *docker_socket, struct error *err)
{
	struct change *c = data;
	_cleanup_router_docker_ struct router_docker docker = {};
	cJSON *report = NULL;

	if (router_report_ask(ROUTER_STATUS_SOCKET, &report, err) < 0)
		return -1;
	cJSON_Delete(report);
	if (!docker_socket || !router_units_is_active(c->manager, DOCKER_SERVICE_UNIT))
		return 0;
	if (router_docker_ask(docker_socket, &docker, err) < 0)
		return error_forgive(err, ENOTCONN) ? 0 : -1;
	return router_docker_check_restart(&docker, err);
}

static int begin(struct change *c, struct error *err)
{
	char directory[PATH_MAX];

	*c = (struct change){.lock = -1};
	if (unit_directory(SCOPE_SYSTEM, directory, err) < 0 || manager_connect(SCOPE_SYSTEM, &c->manager, err) < 0 ||
	    find_unit(c, err) < 0 || find_addresses(c, err) < 0 ||
	    units_lock_take(SCOPE_SYSTEM, directory, &c->lock, err) < 0)
		return -1;
	c->served = router_units_is_active(c->manager, DOCKER_SERVICE_UNIT);
	c->listened = router_units_is_active(c->manager, DOCKER_SOCKET_UNIT);
	c->units = router_units_of(c->manager);
	c->move = (struct router_move){
		.root = "",
		.unit_file = c->unit_file,
		.others = c->others,
		.units = &c->units,
		.confirm = confirm,
		.data = c,
	};
	return 0;
}

/* Asks Docker what it runs, if it runs itself. */
static int look_at_docker(struct change *c, struct error *err)
{
	const char *socket = router_move_docker_socket(&c->move, router_units_is_active(c->manager, ROUTER_SOCKET_UNIT),
						       router_place_look(ROUTER_SOCKET, 1));

	if (!c->served || !socket || router_docker_ask(socket, &c->docker, err) == 0)
		return 0;
	return error_context(
		err,
		"Docker has to be restarted, and does not say what would end with it (to restart it nevertheless, stop "
		"it first: 'sudo systemctl stop docker.socket docker.service')");
}

static int check_docker(struct change *c, struct error *err)
{
	struct router_hosts hosts;

	if (router_hosts_read(c->manager, &hosts, err) < 0 || router_hosts_check(&hosts, err) < 0)
		return -1;
	if (c->served && !c->listened)
		return error_set(err, EBUSY,
				 "Docker runs, and " DOCKER_SOCKET_UNIT
				 " is off: let Docker take the socket of systemd ('-H fd://'), then 'sudo systemctl "
				 "enable docker.socket' and 'sudo systemctl restart docker.socket docker.service'");
	return look_at_docker(c, err);
}

static int check_before(struct change *c, struct error *err)
{
	if (!has_group("sockwake-engine"))
		return error_set(err, ENOENT, "there is no group 'sockwake-engine': run 'sudo systemd-sysusers'");
	return router_report_check(LIBEXECDIR "/router", NULL, &c->allowed, err) < 0 ? -1 : check_docker(c, err);
}

/* Is there nothing to do? */
static bool is_enabled(const struct change *c)
{
	return router_move_progress(&c->move) == ROUTER_ON && router_units_is_active(c->manager, ROUTER_SOCKET_UNIT) &&
	       router_place_look(ROUTER_SOCKET, 1) == ROUTER_PLACE_HELD &&
	       (!c->listened || access(ROUTER_ENGINE_SOCKET, F_OK) == 0);
}

static void note_enabled(const struct change *c)
{
	note_done("the router answers at " ROUTER_SOCKET);
	if (router_units_is_active(c->manager, DOCKER_SOCKET_UNIT))
		note_done("Docker is behind it, at " ROUTER_ENGINE_SOCKET);
	else if (router_move_meets_podman_docker(&c->move))
		note_print("the package podman-docker led " ROUTER_SOCKET
			   " to the system's Podman: that one stays at /run/podman/podman.sock (DOCKER_HOST)");
	note_print("clients with DOCKER_HOST or a 'docker context' of their own do not come to the router");
	router_note_containers(&c->docker, c->allowed);
	router_note_stale(&c->docker);
}

static bool is_docker_back(const struct change *c)
{
	return (!c->listened || router_units_is_active(c->manager, DOCKER_SOCKET_UNIT)) &&
	       (!c->served || router_units_is_active(c->manager, DOCKER_SERVICE_UNIT));
}

/* Back to before; the first error counts. */
static int undo(struct change *c, int (*other)(const struct router_move *m, struct error *err), struct error *err)
{
	struct error second;
	bool undone;

	c->move.undoes = true;
	undone = other(&c->move, &second) == 0;
	if (undone && is_docker_back(c))
		return error_context(err, "nothing has changed");
	if (!undone)
		note_print("it could not be undone either: %s", second.text);
	if (!is_docker_back(c))
		note_print(
			"Docker ran before, and is off now: 'sudo journalctl -u docker.service' shows why; 'sudo "
			"systemctl reset-failed docker.socket docker.service', then 'sudo systemctl start docker' starts it");
	return error_context(err, "broken off ('sudo sockwake router disable' tries to bring all back)");
}

/* Docker may have opened the router's place while it was restarted. */
static int check_after(struct error *err)
{
	if (router_place_look(ROUTER_SOCKET, 1) == ROUTER_PLACE_HELD)
		return 0;
	return error_set(
		err, EBUSY,
		"another program has opened " ROUTER_SOCKET
		" itself ('sudo ss -xlp' shows which): if it is Docker, give it '-H fd://' instead ('systemctl cat "
		"docker.service', and 'hosts' in /etc/docker/daemon.json)");
}

static int enable(struct change *c, struct error *err)
{
	bool docker_stays;

	if (begin(c, err) < 0 || check_before(c, err) < 0)
		return -1;
	if (is_enabled(c)) {
		note_done("the router is enabled already");
		router_note_containers(&c->docker, c->allowed);
		return 0;
	}
	docker_stays = access(ROUTER_ENGINE_SOCKET, F_OK) == 0;
	if (!docker_stays && router_docker_check_restart(&c->docker, err) < 0)
		return -1;
	if (router_move_apply(&c->move, err) < 0 || check_after(err) < 0)
		return undo(c, router_move_revert, err);
	note_enabled(c);
	return 0;
}

/* Docker has to be restarted: does it start again, and what ends with it? */
static int check_way_back(struct change *c, struct error *err)
{
	struct router_hosts hosts;

	if (c->served && router_hosts_read(c->manager, &hosts, err) < 0)
		return -1;
	return look_at_docker(c, err) < 0 ? -1 : router_docker_check_restart(&c->docker, err);
}

static int disable(struct change *c, struct error *err)
{
	if (begin(c, err) < 0)
		return -1;
	if (router_move_progress(&c->move) == ROUTER_OFF && !router_units_is_active(c->manager, ROUTER_SOCKET_UNIT)) {
		note_done("the router is not enabled");
		return 0;
	}
	if (!router_move_is_reversible(&c->move) && check_way_back(c, err) < 0)
		return -1;
	if (router_move_revert(&c->move, err) < 0)
		return undo(c, router_move_apply, err);
	note_done("the router is off: " ROUTER_SOCKET " is what it was before");
	router_note_stale(&c->docker);
	router_note_restricted(c->manager);
	router_note_left();
	return 0;
}

static int run(int (*what)(struct change *c, struct error *err), struct error *err)
{
	struct change c = {.lock = -1};
	sigset_t before = signals_block();
	int r = what(&c, err);

	clear(&c);
	signals_release(&before);
	return r;
}

int router_enable(struct error *err)
{
	return require_root("enable", err) < 0 ? -1 : run(enable, err);
}

int router_disable(struct error *err)
{
	return require_root("disable", err) < 0 ? -1 : run(disable, err);
}
