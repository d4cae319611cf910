/* How much of the host a container sees: the parts of a reply that reach.c and process.c ask about. */
#include <string.h>
#include <strings.h>

#include "backends/reply.h"

/* "SYS_PTRACE", "CAP_SYS_PTRACE", "ALL", in whatever case they were given. */
static bool allows_tracing(const cJSON *capabilities)
{
	const cJSON *j;

	cJSON_ArrayForEach(j, capabilities)
	{
		const char *s = cJSON_IsString(j) ? j->valuestring : "";

		if (strncasecmp(s, "CAP_", 4) == 0)
			s += 4;
		if (strcasecmp(s, "SYS_PTRACE") == 0 || strcasecmp(s, "ALL") == 0)
			return true;
	}
	return false;
}

/* [{"Type": "bind", "Source": "/proc", …}, …]: volumes have a path of the host as well. */
static bool take_mounts(const cJSON *mounts, struct container *ret)
{
	size_t n = 0;
	const cJSON *j;

	if (!mounts)
		return true;
	if (!cJSON_IsArray(mounts))
		return false;
	ret->mounted = calloc((size_t)cJSON_GetArraySize(mounts) + 1, sizeof(*ret->mounted));
	if (!ret->mounted)
		return false;
	cJSON_ArrayForEach(j, mounts)
	{
		const cJSON *source = json_member(j, "Source");

		if (!cJSON_IsString(source) || source->valuestring[0] != '/') /* a tmpfs has none */
			continue;
		ret->mounted[n] = strdup(source->valuestring);
		if (!ret->mounted[n++])
			return false;
	}
	return true;
}

bool reply_view(const cJSON *root, struct container *ret)
{
	const cJSON *host = json_member(root, "HostConfig");
	const char *pid_mode = json_string(host, "PidMode");
	bool privileged = false;

	if (!json_bool(host, "Privileged", &privileged) ||
	    !json_copy_string(json_member(root, "NetworkSettings"), "SandboxKey", ret->sandbox, sizeof(ret->sandbox)))
		return false;
	ret->host_pid = pid_mode && strcmp(pid_mode, "host") == 0;
	/* Podman alone tells the whole set. */
	ret->may_trace = privileged || allows_tracing(json_member(host, "CapAdd")) ||
			 allows_tracing(json_member(root, "EffectiveCaps")) ||
			 allows_tracing(json_member(root, "BoundingCaps"));
	return take_mounts(json_member(root, "Mounts"), ret);
}
