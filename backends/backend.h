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
 * One engine is one connection (kept alive), and belongs to one thread. Replies are bounded in size, parsed strictly and
 * never trusted: a value of the wrong type or out of range is an error with code EPROTO.
 *
 * Every function below may fail with one of these codes; the error's text says what to do:
 *
 *	ENOENT		no such container
 *	ENOTCONN	nothing listens on the engine's socket, or the socket does not exist
 *	ECONNRESET	the engine went away in the middle: it may or may not have obeyed
 *	EACCES		this user may not use the engine's socket
 *	ETIMEDOUT	no answer in time (the request's own limit or engine->deadline)
 *	EBUSY		the container's state does not allow it (start while paused, unpause while not paused)
 *	EPROTO		an invalid answer
 *	EREMOTEIO	the engine refused or failed; the text includes the engine's own words
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
	START_STARTED,	       /* this request has started the container */
	START_ALREADY_RUNNING, /* it ran before */
};

enum stop_result {
	STOP_STOPPED,	/* this request has ended it */
	STOP_HAD_ENDED, /* it had ended already: its restart policy may be about to start it again */
};

struct log_options {
	bool follow;   /* go on until the container ends, the callback stops it, or engine->deadline */
	bool times;    /* with the engine's time stamps */
	unsigned tail; /* only this many last lines; 0: all */
};

/* Gets the container's output in pieces, not necessarily whole lines. stream is STDOUT_FILENO or STDERR_FILENO.
 * Returns false to stop. */
typedef bool (*log_sink)(void *data, int stream, const char *text, size_t len);

struct engine;

/* One engine's table. `container` is a name or an identifier. */
struct backend {
	const char *name;  /* "docker", "podman" */
	const char *title; /* "Docker", "Podman": for messages */

	/* Clears what is in *ret; after an error nothing is. */
	int (*inspect)(struct engine *e, const char *container, struct container *ret, struct error *err);

	/* Starts a stopped container. EBUSY if it is paused (unpause() it) or being removed. */
	int (*start)(struct engine *e, const char *container, enum start_result *ret, struct error *err);

	/* Stops it with its own stop signal and time-out. One that does not run is success. Waits for the answer for
	 * stop_timeout seconds (struct container) and some more, but not beyond engine->deadline. No engine stops a
	 * paused container reliably: unpause() it first. */
	int (*stop)(struct engine *e, const char *container, uint64_t stop_timeout, enum stop_result *ret,
		    struct error *err);

	/* EBUSY if it does not run, or is paused already. */
	int (*pause)(struct engine *e, const char *container, struct error *err);

	/* EBUSY if it is not paused. */
	int (*unpause)(struct engine *e, const char *container, struct error *err);

	/* Runs the health check of the inspected container now, and waits for its result, until engine->deadline.
	 * HEALTH_NONE if it has none. Podman treats it like a check of its own: it then knows that the container is
	 * healthy, and counts a failure. */
	int (*check_health)(struct engine *e, const struct container *c, enum health *ret, struct error *err);

	/* The same, but the engine does not record the result. Costs more. */
	int (*try_health)(struct engine *e, const struct container *c, enum health *ret, struct error *err);

	/* Gets the output of the container. */
	int (*logs)(struct engine *e, const char *container, const struct log_options *options, log_sink sink,
		    void *data, struct error *err);

	/* All containers, running or not, in one request. The caller clears *ret, also after an error. */
	int (*list)(struct engine *e, struct container_list *ret, struct error *err);

	/* Keeps an image and the existing ones of these volumes from being pruned while no container uses them,
	 * instead of those kept for this container before. NULL: the engine cannot. ENOENT: there is no such image. */
	int (*keep)(struct engine *e, const char *container, const char *image, const char *const *volumes,
		    struct error *err);

	/* Undoes keep(); success if nothing is kept. */
	int (*let_go)(struct engine *e, const char *container, struct error *err);

	/* The engine's properties. No other code asks which engine it is. */
	bool has_quadlets;  /* units may run its containers as Quadlets; the manager finds the unit of a container */
	bool creates_by_id; /* a new container must name its image by identifier, not by name */
	bool monitors_in_units;	 /* the main process of a container unit is the container's monitor (conmon) */
	bool units_await_health; /* the start of a unit may last until the container is healthy (Notify=healthy) */
	bool units_pass_signals; /* a unit's process passes signals to the container, which ignores them while paused */
	uint64_t unit_retry;	 /* between two checks for the container that a unit is about to run */
	const char *boot_starter; /* starts containers with the restart policy "always" at boot: "Docker" */
	bool starts_what_ended;	  /* … and those with another policy that are paused, or were stopped and left a
					   status that the policy takes for a failure (tried with 20.10 and 26.1) */
	const char *socket_group; /* whose members may use its socket; NULL: there is none */
	const char *program;	  /* the path of its command, as packages install it */
	/* Where its socket is: the variable that names it, and its path in the runtime directory. */
	const char *host_variable, *socket_file;

	/* For the functions that both tables share (backends/request.h). */
	const char *prefix;	    /* of every path: "", "/v4.0.0/libpod" */
	const char *network_action; /* after a network's name: requests its description */
	const char *enable[2];	    /* the command that makes the engine answer, by enum scope */
	/* Pure: JSON text to struct. False if it is not what the engine's API promises. */
	bool (*parse_inspect)(const char *text, size_t len, struct container *ret);
	/* Is the container's state the reason for this refusal? */
	bool (*is_busy)(long status, const char *body, size_t len);
	/* Does the log consist of frames that name the stream? Docker's does not for a terminal's output. */
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
			      set it at any time; USEC_INFINITY: only each request's own limit counts */
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/* The container that was inspected last: errors about its identifier call it by its name. */
	char known_id[CONTAINER_ID_SIZE], known_name[CONTAINER_NAME_SIZE];
};
