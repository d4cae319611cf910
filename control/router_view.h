/* What `sockwake router status` shows: as a struct for people, and as JSON. */
#pragma once

#include <cjson/cJSON.h>

#include "common/cleanup.h"
#include "control/router_docker.h"
#include "control/router_move.h"
#include "control/router_restricted.h"

struct router_view {
	enum router_progress progress;
	bool listens;	 /* the router's socket is open */
	bool serves;	 /* the router runs now */
	bool has_docker; /* the system has a docker.socket */
	bool docker_listens;
	bool docker_is_missed; /* it has failed, or a boot would start it */
	bool docker_has_failed;
	enum router_place place; /* who is at /run/docker.sock */
	bool docker_runs;
	bool is_moved; /* docker.socket listens at ROUTER_ENGINE_SOCKET */
	bool is_link;  /* /run/docker.sock is a link */
	char *allowed; /* containers, "a, b"; NULL: the configuration is wrong */
	char config_trouble[1024];
	cJSON *report; /* router/status_report.h; NULL: nobody is connected, or see report_trouble */
	char report_trouble[1024];
	struct router_docker docker;
	struct router_restricted *restricted;
	size_t n_restricted;
	char docker_trouble[1024]; /* why the containers are not known */
};

/* Does the router's socket listen, and at its path? */
bool router_view_listens(const struct router_view *v);

int router_view_look(struct router_view *ret, struct error *err);
void router_view_clear(struct router_view *v);
#define _cleanup_router_view_ _cleanup_(router_view_clear)

/* NULL: out of memory. */
cJSON *router_view_to_json(const struct router_view *v);

/* Is it one of "a, b", by its name or by digits of its identifier, or is that "all"? */
bool router_view_allows(const char *allowed, const struct router_container *c);
