/* Docker Engine's replies (docs.docker.com/reference/api/engine). Pure functions of text; false if it is not what the
 * API promises. The caller clears *ret, also then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "backends/backend.h"

/* ContainerInspect: GET /containers/N/json */
bool docker_parse_inspect(const char *text, size_t len, struct container *ret);

/* ContainerList: GET /containers/json. Containers without a valid name are left out. */
bool docker_parse_list(const char *text, size_t len, struct container_list *ret);

/* ContainerExec: POST /containers/N/exec. Returns the identifier of the new process. */
bool docker_parse_exec_id(const char *text, size_t len, char ret[static 65]);

/* ExecInspect: GET /exec/ID/json. */
bool docker_parse_exec_state(const char *text, size_t len, bool *ret_running, int *ret_exit_code);

/* The body of the request ContainerExec for a health check's test; malloc()ed, NULL if memory is short or the kind of
 * the test is unknown. */
char *docker_format_exec(char *const *health_test);
