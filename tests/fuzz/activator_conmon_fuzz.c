/* Any text as /proc/PID/cgroup of a process, and after a line "====" any list of children.
 *
 * floor: 22 */
#include <ctype.h>

#include "activator/conmon.h"
#include "tests/fuzz/fuzz.h"

#define DIVIDER	  "\n====\n"
#define GROUP_MAX 256

static void check_group(const char *text)
{
	char group[GROUP_MAX], id[CONTAINER_ID_MAX];

	if (!conmon_group(text, group, sizeof(group)))
		return;
	CHECK(memchr(group, '\0', sizeof(group)) && group[0] == '/' && !strchr(group, '\n'));
	/* The path is the rest of a line that begins with "0::". */
	const char *at = text;

	for (; (at = strstr(at, "0::/")); at++) {
		size_t len = strlen(group);

		if ((at == text || at[-1] == '\n') && strncmp(at + 3, group, len) == 0 &&
		    (at[3 + len] == '\n' || !at[3 + len]))
			break;
	}
	CHECK(at);
	if (!conmon_id(group, id))
		return;
	CHECK(strlen(id) == sizeof(id) - 1 && strstr(group, id));
	for (const char *p = id; *p; p++)
		CHECK(isxdigit((unsigned char)*p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = text_of(data, size);
	char *divider = strstr(text, DIVIDER);
	const char *children = divider ? divider + strlen(DIVIDER) : "";
	const char *before = children;
	pid_t pid;

	if (divider)
		*divider = '\0';
	check_group(text);
	for (; (pid = conmon_child(&children)); before = children)
		CHECK(pid > 0 && children > before && children <= text + size);
	return 0;
}
