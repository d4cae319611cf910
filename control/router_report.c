#include "control/router_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/json.h"
#include "common/parse.h"
#include "control/program_output.h"

#define REPORT_MAX (16UL * 1024 * 1024)
#define VALUES_MAX 500000

#define LOOK "'systemctl status sockwake-router.service sockwake-router.socket' shows why"

int router_report_ask(const char *socket_path, cJSON **ret, struct error *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_cleanup_free_ char *text = NULL;
	size_t len;

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", socket_path);
	if (fd < 0)
		return error_errno(err, errno, "cannot open a socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return error_set(err, errno, "the router does not answer at '%s' (%s): " LOOK, socket_path,
				 strerror(errno));
	if (program_output_read(fd, REPORT_MAX, &text, &len, err) < 0)
		return error_context(err, "the router does not answer: " LOOK);
	*ret = json_parse(text, len, VALUES_MAX);
	return *ret ? 0 : error_set(err, EPROTO, "the router does not answer: " LOOK);
}

int router_report_check(const char *program, const char *restricted, char **ret_allowed, struct error *err)
{
	const char *argv[] = {program, "--check", restricted ? "--restricted" : NULL, "--config", restricted, NULL};
	_cleanup_free_ char *text = NULL;
	bool good;

	if (program_output(argv, false, &text, &good, err) < 0)
		return error_context(
			err, "the router's configuration cannot be checked; if it lasts, install sockwake again");
	text[strcspn(text, "\n")] = '\0';
	text_make_printable(text);
	if (!good)
		return error_set(err, EINVAL, "%s configuration is wrong: %s", restricted ? "its" : "the router's",
				 text);
	*ret_allowed = steal_ptr(&text);
	return 0;
}
