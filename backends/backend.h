/* The contract of a container engine: Docker and Podman, each behind its REST API on a Unix socket.
 *
 *	_cleanup_engine_ struct engine *engine = NULL;
 *	_cleanup_container_ struct container c = {};
 *
 *	if (engine_open(BACKEND_PODMAN, SCOPE_USER, NULL, &engine, &err) < 0)
 *		return -1;
 *	engine->deadline = now_usec() + 30 * USEC_PER_SEC;
 *	if (engine->backend->inspect(engine, "pg", &c, &err) < 0)
 *		return -1;
 *
 * One engine is one connection (kept alive) and one thread's. Replies are bounded in size, parsed strictly and never
 * trusted: what does not fit its type or range is an error with code EPROTO.
 *
 * Every function below may fail with one of these codes, and its text says what to do:
 *
 *	ENOENT		no such container
 *	ENOTCONN	the engine is not there: nothing listens on its socket, or the socket does not exist
 *	ECONNRESET	the engine went away in the middle: whether it has done what it was asked for is not known
 *	EACCES		this user may not use the engine's socket
 *	ETIMEDOUT	no answer in time (the request's own limit or engine->deadline)
 *	EBUSY		the container's state does not allow it (start of a paused one, unpause of one that is not)
 *	EPROTO		an answer that makes no sense
 *	EREMOTEIO	the engine refused or failed; the text carries the engine's own words
 *	EINVAL		not a valid name, socket path or environment variable
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/scope.h"

enum container_state {
	CONTAINER_UNKNOWN, /* a state that this version does not know */
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_STOPPING,
	CONTAINER_REMOVING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,
};

enum health { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct published_port {
	char host_address[INET6_ADDRSTRLEN]; /* canonical, without brackets; "" for all addresses */
	uint16_t host_port;
	uint16_t container_port;
	int type; /* SOCK_STREAM or SOCK_DGRAM */
};

/* "sha256:" and 64 digits. */
#define IMAGE_ID_MAX 80

struct label {
	char *key;
	char *value; /* NULL: not printable (sockwake.* alone; others of that kind are left out) */
};

/* A named volume, or something of the host's (a bind mount), in a container. */
struct container_mount {
	char *name;    /* NULL: it is the host's */
	char *source;  /* its path on the host */
	bool is_local; /* a volume of the engine's own driver: there whether the container runs or not */
};

/* What the engine says about a container. Strings are printable UTF-8. */
struct container {
#define CONTAINER_ID_SIZE 65
	char id[CONTAINER_ID_SIZE];
	char name[256]; /* without Docker's leading slash */
	enum container_state state;
	struct published_port *ports; /* as configured, whether it runs or not; bounded; list(): as far as known */
	size_t n_ports;
	/* Only those that sockwake reads: PODMAN_SYSTEMD_UNIT, com.docker.compose.*, io.podman.compose.*,
	 * io.containers.autoupdate, sockwake.*; bounded. */
	struct label *labels;
	size_t n_labels;
	char pod[65];  /* the identifier of its pod (Podman); "" for none */
	bool is_infra; /* it only holds the namespaces of its pod */

	bool unreadable; /* list(): what the engine says about it makes no sense; only the name is set */

	/* From here on set by inspect() alone. */
	pid_t pid;	     /* of its first process, in the engine's PID namespace; 0 when it does not run */
	char started_at[64]; /* as the engine writes it; equal strings mean the same run; "" when never */
	int64_t created;     /* CLOCK_REALTIME microseconds */
	uint16_t
		exposed_port; /* the lowest TCP port that it or its image declares (EXPOSE); 0: none, as far as known */
	char image[IMAGE_ID_MAX]; /* the identifier of its image; "" for none */
	int64_t started;	  /* started_at in CLOCK_REALTIME microseconds; 0: never */
	int exit_code;		  /* of the last run */
	char network_mode[256];	  /* "none", "host", "bridge", "default", "container:ID", a network's name, … */
	int64_t restarts;	  /* by its restart policy, since somebody started it */
	char restart_policy[32];  /* "", "no", "always", "on-failure", "unless-stopped" */
	bool auto_remove;
	bool tty;
	uint64_t stop_timeout; /* seconds the engine waits between the stop signal and SIGKILL; UINT64_MAX: for ever */
	char **health_test;    /* NULL: no health check; else NULL-terminated: {"CMD", …} or {"CMD-SHELL", "…"}, of
			      which only the first is printable */
	enum health health;    /* as last recorded by the engine */
	/* Failures have consequences (Podman's --health-on-failure, --health-startup-retries), but for those in the first
	 * so many microseconds of a run. */
	bool health_acts;
	uint64_t health_start_period;
	/* How much of the host it sees (reach.h, process.h). */
	bool host_pid;	/* --pid=host */
	bool may_trace; /* CAP_SYS_PTRACE is among what its processes may have, in its own user namespace */
	char **mounted; /* paths of the host that are mounted into it, NULL-terminated; NULL: none */
	struct container_mount
		*mounts; /* without volumes that have no name: they live and die with the container; bounded */
	size_t n_mounts;
	char sandbox[256]; /* the engine's own reference to its network namespace; "" when there is none */
};

/* Frees what the members own, and clears them. */
void container_clear(struct container *c);

/* The value of a label that is kept in struct container, or NULL. Belongs to the container. */
const char *container_label(const struct container *c, const char *key);

/* "running", "exited", …: the engines' own words. */
const char *container_state_name(enum container_state state);

/* What list() returns. */
struct container_list {
	struct container *items;
	size_t n;
};
void container_list_clear(struct container_list *l);

enum start_result {
	START_STARTED,	       /* the container was started, and by this request */
	START_ALREADY_RUNNING, /* it ran before */
};

enum stop_result {
	STOP_STOPPED,	/* this request has ended it */
	STOP_HAD_ENDED, /* it did not run any more: its restart policy may be about to start it again */
};

struct log_options {
	bool follow;   /* go on until the container ends, the callback says stop or engine->deadline */
	bool times;    /* with the engine's time stamps */
	unsigned tail; /* this many last lines; 0: all */
};

/* Gets the container's output piece by piece, not necessarily whole lines. stream is STDOUT_FILENO or STDERR_FILENO.
 * Returns false to stop. */
typedef bool (*log_sink)(void *data, int stream, const char *text, size_t len);

struct engine;

/* One engine's table. `container` is a name or an identifier. */
struct backend {
	enum backend_kind kind;
	const char *name;  /* "docker", "podman" */
	const char *title; /* "Docker", "Podman": for messages */

	/* The caller clears *ret, also after an error. */
	int (*inspect)(struct engine *e, const char *container, struct container *ret, struct error *err);

	/* Starts a stopped container. EBUSY when it is paused (or being removed): unpause() it. */
	int (*start)(struct engine *e, const char *container, enum start_result *ret, struct error *err);

	/* Stops it with its own stop signal and timeout. One that does not run is success. The answer is awaited for
	 * stop_timeout seconds (struct container) and some more, at most until engine->deadline. A paused container is
	 * not reliably stopped by any engine: unpause() first. */
	int (*stop)(struct engine *e, const char *container, uint64_t stop_timeout, enum stop_result *ret,
		    struct error *err);

	/* EBUSY when it does not run, or is paused already. */
	int (*pause)(struct engine *e, const char *container, struct error *err);

	/* EBUSY when it is not paused. */
	int (*unpause)(struct engine *e, const char *container, struct error *err);

	/* Runs the health check of the inspected container now, and waits for its result, until engine->deadline.
	 * HEALTH_NONE when it has none. Podman takes it for one of its own: it knows then that the container is healthy,
	 * and counts a failure. */
	int (*check_health)(struct engine *e, const struct container *c, enum health *ret, struct error *err);

	/* The same without the engine's taking notice. It costs more. */
	int (*try_health)(struct engine *e, const struct container *c, enum health *ret, struct error *err);

	/* What the container wrote. */
	int (*logs)(struct engine *e, const char *container, const struct log_options *options, log_sink sink,
		    void *data, struct error *err);

	/* All containers, running or not, in one request. The caller clears *ret, also after an error. */
	int (*list)(struct engine *e, struct container_list *ret, struct error *err);

	/* Keeps an image and volumes (those of them that there are) from being pruned although no container uses them;
	 * what was kept for this container before no longer is. NULL: the engine has no such thing. An image that is
	 * not there is ENOENT. */
	int (*keep)(struct engine *e, const char *container, const char *image, const char *const *volumes,
		    struct error *err);

	/* Undoes it; where nothing is kept, that is success. */
	int (*let_go)(struct engine *e, const char *container, struct error *err);

	/* The rest is for the functions that both tables share (backends/request.h). */
	const char *prefix;    /* of every path: "", "/v4.0.0/libpod" */
	const char *enable[2]; /* the command that makes the engine answer, by enum scope */
	/* Pure: JSON text to struct. False when it is not what the engine's API promises. */
	bool (*parse_inspect)(const char *text, size_t len, struct container *ret);
	/* Does this refusal say that the container's state does not allow it? */
	bool (*is_busy)(long status, const char *body, size_t len);
	/* Is the log in frames that name the stream? Docker writes a terminal's output without. */
	bool (*log_is_framed)(const struct container *c);
};

extern const struct backend docker_backend;
extern const struct backend podman_backend;

struct http;

struct engine {
	const struct backend *backend;
	enum scope scope;
	struct http *http;
	uint64_t deadline; /* CLOCK_MONOTONIC microseconds by which every request must be answered; the caller may
			      set it at any time; USEC_INFINITY: each request's own limit alone counts */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* The path of the engine's socket. The first of these that is set, without falling back to the next: `path` (from
 * --engine-socket, may be NULL or ""); DOCKER_HOST or CONTAINER_HOST, by kind, which must be unix:///PATH; the default:
 *
 *	Docker	system scope /run/docker.sock,		user scope $XDG_RUNTIME_DIR/docker.sock
 *	Podman	system scope /run/podman/podman.sock,	user scope $XDG_RUNTIME_DIR/podman/podman.sock
 *
 * without XDG_RUNTIME_DIR /run/user/UID. Does not look whether it exists. Sources: docker(1) and podman(1),
 * "Environment"; docs.docker.com/engine/security/rootless. */
#define ENGINE_SOCKET_MAX sizeof(((struct engine *)0)->socket)
int engine_find_socket(enum backend_kind kind, enum scope scope, const char *path, char ret[static ENGINE_SOCKET_MAX],
		       struct error *err);

/* Can a service of this scope use it? Services of the system have no capability to connect to a user's, nor would a user's
 * container be theirs. EPERM. One that is not there passes. */
int engine_check_socket(enum scope scope, const char *socket, struct error *err);

/* Finds the socket as above; the first request connects to it. *ret belongs to the caller. */
int engine_open(enum backend_kind kind, enum scope scope, const char *path, struct engine **ret, struct error *err);

/* Closes the connection. *e may be NULL, and is afterwards. */
void engine_close(struct engine **e);

#define _cleanup_engine_	 _cleanup_(engine_close)
#define _cleanup_container_	 _cleanup_(container_clear)
#define _cleanup_container_list_ _cleanup_(container_list_clear)
