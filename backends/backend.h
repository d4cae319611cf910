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

#include "backends/container.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "instance/scope.h"

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

	/* What it is and can. Nobody else asks which engine it is. */
	bool has_quadlets;	/* units may run its containers as Quadlets, which the manager knows by the container */
	bool creates_by_id;	/* a new container is to name its image by the identifier, not by the name */
	bool monitors_in_units; /* the main process of a unit that runs a container is that container's monitor (conmon) */
	bool units_await_health; /* the start of a unit may last until the container is healthy (Notify=healthy) */
	bool units_pass_signals; /* a unit's process hands signals on to the container, which does not hear them paused */
	int unit_retry_msec;	 /* between two looks for the container that a unit is about to run */
	const char *boot_starter;	/* who starts containers of the restart policy "always" at boot: "Docker" */
	const char *socket_group;	/* whose members may use its socket; NULL: there is none */
	const char *program;		/* its command line, where packages put it */
	const struct backend *mistaken; /* the engine that root may mean who has named none; NULL: none */
	/* Where its socket is: what the environment calls it, and the path in the runtime directory. */
	const char *host_variable, *socket_file;

	/* The rest is for the functions that both tables share (backends/request.h). */
	const char *prefix;	    /* of every path: "", "/v4.0.0/libpod" */
	const char *network_action; /* behind a network's name: what asks for it */
	const char *enable[2];	    /* the command that makes the engine answer, by enum scope */
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
struct transport;

struct engine {
	const struct backend *backend;
	enum scope scope;
	const struct transport *transport;
	struct http *http;
	uint64_t deadline; /* CLOCK_MONOTONIC microseconds by which every request must be answered; the caller may
			      set it at any time; USEC_INFINITY: each request's own limit alone counts */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
};
