/* A container, as an engine describes it. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"

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
	char *value; /* NULL: not printable (sockwake.* only; other labels of that kind are left out) */
};

/* A named volume, or a path of the host (bind mount), in a container. */
struct container_mount {
	char *name;	   /* NULL: a path of the host */
	char *source;	   /* its path on the host */
	char *destination; /* its path in the container; "" if the engine names an odd one */
	bool is_local;	   /* a volume of the engine's own driver: it exists whether the container runs or not */
};

#define DEFAULT_STOP_TIMEOUT 10 /* seconds; the same in both engines */

/* Names the unit that runs the container; written by Podman's generators and `podman generate systemd`. */
#define UNIT_LABEL "PODMAN_SYSTEMD_UNIT"

/* A container, as the engine describes it. Strings are printable UTF-8. */
struct container {
#define CONTAINER_ID_SIZE 65
	char id[CONTAINER_ID_SIZE];
#define CONTAINER_NAME_SIZE 256
	char name[CONTAINER_NAME_SIZE]; /* without Docker's leading slash */
	enum container_state state;
	struct published_port *ports; /* as configured, whether it runs or not; bounded; list(): as far as known */
	size_t n_ports;
	/* Only labels that sockwake reads: PODMAN_SYSTEMD_UNIT, com.docker.compose.*, io.podman.compose.*,
	 * io.containers.autoupdate, sockwake.*; bounded. */
	struct label *labels;
	size_t n_labels;
	char pod[65];			    /* the identifier of its pod (Podman); "" for none */
	char pod_name[CONTAINER_NAME_SIZE]; /* list(): of its pod */
	bool is_infra;			    /* it only holds the namespaces of its pod */

	bool unreadable; /* list(): its description is invalid; only the name is set */

	/* Only inspect() sets the members from here on. */
	pid_t pid;		  /* of its first process, in the engine's PID namespace; 0 if it does not run */
	char started_at[64];	  /* as the engine writes it; equal strings mean the same run; "" for never */
	int64_t created;	  /* CLOCK_REALTIME microseconds */
	uint16_t exposed_port;	  /* the lowest TCP port that it or its image declares (EXPOSE); 0: none known */
	char image[IMAGE_ID_MAX]; /* the identifier of its image; "" for none */
	int64_t started;	  /* started_at in CLOCK_REALTIME microseconds; 0: never */
	int exit_code;		  /* of the last run */
	char network_mode[256];	  /* "none", "host", "bridge", "default", "container:ID", a network's name, … */
	int64_t restarts;	  /* by its restart policy, since somebody last started it */
	char restart_policy[32];  /* "", "no", "always", "on-failure", "unless-stopped" */
	bool auto_remove;
	bool tty;
	uint64_t stop_timeout; /* seconds between the stop signal and SIGKILL; UINT64_MAX: for ever */
	char **health_test;    /* NULL: no health check; else NULL-terminated: {"CMD", …} or {"CMD-SHELL", "…"}, of
			      which only the first is printable */
	enum health health;    /* as the engine last recorded it */
	/* Failures have consequences (Podman's --health-on-failure, --health-startup-retries), except in the first
	 * health_start_period microseconds of a run. */
	bool health_acts;
	uint64_t health_start_period;
	/* How much of the host it sees (reach.h, process.h). */
	bool host_pid;			/* --pid=host */
	bool may_trace;			/* its processes may have CAP_SYS_PTRACE in its own user namespace */
	char **mounted;			/* paths of the host that are mounted into it, NULL-terminated; NULL: none */
	struct container_mount *mounts; /* without unnamed volumes, which live and die with the container; bounded */
	size_t n_mounts;
	char sandbox[256]; /* the engine's own reference to its network namespace; "" if there is none */
};

/* Frees the memory of the members, and clears them. */
void container_clear(struct container *c);
#define _cleanup_container_ _cleanup_(container_clear)

/* The value of one of the labels in struct container, or NULL. Belongs to the container. */
const char *container_label(const struct container *c, const char *key);

/* Is it the name of a service container? `podman kube play` makes one for a unit's main process to watch: it does
 * nothing, and has no network. Podman calls it "59ee4a1dc52c-service". */
bool container_name_is_service(const char *name);

/* "running", "exited", …: the engines' own words. */
const char *container_state_name(enum container_state state);

/* The result of list(). */
struct container_list {
	struct container *items;
	size_t n;
};
void container_list_clear(struct container_list *l);
#define _cleanup_container_list_ _cleanup_(container_list_clear)
