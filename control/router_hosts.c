#include "control/router_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/json.h"
#include "common/io.h"
#include "common/parse.h"
#include "control/program_output.h"
#include "control/router_move.h"
#include "units/exec_command.h"
#include "units/query.h"

#define DAEMON_JSON "/etc/docker/daemon.json"
#define FILE_SIZE   (256UL * 1024)
#define VALUES_MAX  20000
#define WORDS_MAX   64

static void take_host(struct router_hosts *h, const char *host, const char *where)
{
	static const char *const places[] = {"unix://" ROUTER_SOCKET, "unix:///var" ROUTER_SOCKET, "unix://"};

	h->any = true;
	h->by_fd |= strncmp(host, "fd://", 5) == 0;
	for (size_t k = 0; k < sizeof(places) / sizeof(*places); k++) {
		if (strcmp(host, places[k]) != 0)
			continue;
		(void)snprintf(h->own, sizeof(h->own), "%s", host);
		h->where = where;
	}
}

/* The value of an option in "--name=VALUE", "--name VALUE", "-nVALUE" or "-n VALUE"; NULL: it is another word. */
static const char *value_of(const char *const *word, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(*word, name, len) != 0)
		return NULL;
	if ((*word)[len] == '=')
		return *word + len + 1;
	if ((*word)[len] == '\0')
		return word[1];
	return name[1] == '-' ? NULL : *word + len;
}

void router_hosts_take_command(struct router_hosts *h, const char *const *argv)
{
	const char *program = *argv ? strrchr(*argv, '/') : NULL, *value;

	program = program ? program + 1 : *argv;
	if (!program || strcmp(program, "dockerd") != 0)
		return;
	h->known = true;
	(void)snprintf(h->program, sizeof(h->program), "%s", *argv);
	for (const char *const *word = argv + 1; *word; word++) {
		if ((value = value_of(word, "--host")) || (value = value_of(word, "-H")))
			take_host(h, value, "'-H' of docker.service, which 'systemctl cat docker.service' shows");
		else if ((value = value_of(word, "--config-file")))
			(void)snprintf(h->file, sizeof(h->file), "%s", value);
	}
}

bool router_hosts_take_file(struct router_hosts *h, const char *text, size_t len)
{
	_cleanup_json_ cJSON *object = json_parse(text, len, VALUES_MAX);
	const cJSON *host;

	cJSON_ArrayForEach(host, json_member(object, "hosts"))
	{
		if (cJSON_IsString(host))
			take_host(h, cJSON_GetStringValue(host), "'hosts' of daemon.json");
	}
	return cJSON_IsObject(object);
}

static bool has_variable(const char *const *argv)
{
	for (; *argv; argv++) {
		if (strchr(*argv, '$'))
			return true;
	}
	return false;
}

/* What became of the variables, in the process that runs. */
static void take_process(struct router_hosts *h, uint32_t pid)
{
	_cleanup_free_ char *text = NULL;
	const char *argv[WORDS_MAX + 1] = {};
	struct error ignored;
	char path[64];
	size_t len, n = 0;

	(void)snprintf(path, sizeof(path), "/proc/%u/cmdline", (unsigned)pid);
	if (pid == 0 || file_read(AT_FDCWD, path, FILE_SIZE, &text, &len, &ignored) < 0)
		return;
	for (const char *word = text; word < text + len && n < WORDS_MAX; word += strlen(word) + 1)
		argv[n++] = word;
	router_hosts_take_command(h, argv);
}

struct service {
	struct router_hosts *hosts;
	uint32_t pid;
};

static int take_command(void *data, const char *const *argv, struct error *err)
{
	const struct service *s = data;

	(void)err;
	router_hosts_take_command(s->hosts, argv);
	if (has_variable(argv))
		take_process(s->hosts, s->pid);
	return 0;
}

/* Its own words, in the last line that is not empty. */
static const char *last_line(char *text)
{
	size_t len = strlen(text);
	char *begin;

	while (len > 0 && strchr("\r\n", text[len - 1]))
		text[--len] = '\0';
	begin = strrchr(text, '\n');
	begin = begin ? begin + 1 : text;
	text_make_printable(begin);
	return begin;
}

int router_hosts_validate(const char *program, const char *file, struct error *err)
{
	const char *argv[] = {program, "--validate", "--config-file", file, NULL};
	_cleanup_free_ char *text = NULL;
	struct error ignored;
	bool good;

	/* What it does not say, its start does. */
	if (program_output(argv, true, &text, &good, &ignored) < 0 || good || strstr(text, "unknown flag"))
		return 0;
	return error_set(err, EINVAL,
			 "Docker has to be restarted, and would not start: mend '%s' first ('%s --validate "
			 "--config-file %s' checks it): %.400s",
			 file, program, file, last_line(text));
}

static int read_file(struct router_hosts *h, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (file_read(AT_FDCWD, h->file, FILE_SIZE, &text, &len, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	if (len == 0)
		return 0;
	if (router_hosts_take_file(h, text, len))
		return router_hosts_validate(h->program, h->file, err);
	return error_set(
		err, EINVAL,
		"Docker has to be restarted, and would not start: '%s' is not valid JSON; mend it first ('python3 "
		"-m json.tool %s' shows where)",
		h->file, h->file);
}

int router_hosts_read(struct manager *m, struct router_hosts *ret, struct error *err)
{
	static const char *const name = DOCKER_SERVICE_UNIT;
	struct unit_state state = {};
	struct service service = {.hosts = ret};
	int r;

	*ret = (struct router_hosts){.file = DAEMON_JSON};
	r = manager_examine(m, &name, 1, &state, err);
	if (r == 0 && strcmp(state.load_state, "loaded") == 0) {
		service.pid = state.main_pid;
		r = exec_command_each(m, state.object, "ExecStart", take_command, &service, err);
	}
	unit_states_clear(&state, 1);
	return r < 0 ? -1 : ret->known ? read_file(ret, err) : 0;
}

int router_hosts_check(const struct router_hosts *h, struct error *err)
{
#define INSTEAD                                                                                                             \
	"let it take the socket of systemd: '-H fd://' in ExecStart= ('sudo systemctl edit --full docker.service') and no " \
	"'hosts' in daemon.json, then 'sudo systemctl restart docker'"
	if (!h->known)
		return 0;
	if (*h->own)
		return error_set(err, EBUSY, "Docker opens " ROUTER_SOCKET " itself ('%s', by %s): " INSTEAD, h->own,
				 h->where);
	if (!h->any)
		return error_set(err, EBUSY,
				 "Docker opens " ROUTER_SOCKET " itself, because no '-H' says otherwise: " INSTEAD);
	if (!h->by_fd)
		return error_set(err, EBUSY, "Docker does not take the socket that systemd opens for it: " INSTEAD);
	return 0;
}
