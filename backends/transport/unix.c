/* A Unix socket of this machine. */
#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "backends/transport/transport.h"

#define PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

static int check(const char *path, struct error *err)
{
	if (strlen(path) >= PATH_SIZE)
		return error_set(err, ENAMETOOLONG, "the path '%s' is longer than a Unix socket's can be (%zu bytes)",
				 path, PATH_SIZE - 1);
	return 0;
}

static bool prepare(CURL *curl, const char *path)
{
	return curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK;
}

static bool explain(const struct transport_peer *p, struct error *err)
{
	switch (err->code) {
	case ENOENT:
	case ECONNREFUSED:
		error_set(err, ENOTCONN, "%s does not answer: nothing listens on '%s'; start it with '%s'", p->title,
			  p->address, p->enable);
		return true;
	case EACCES:
	case EPERM:
		error_set(err, EACCES,
			  "this user may not use %s's socket '%s': run as root, or as a user whom its owner and group "
			  "allow it%s%s%s",
			  p->title, p->address, p->group ? " (the group '" : "", p->group ? p->group : "",
			  p->group ? "')" : "");
		return true;
	default:
		return false;
	}
}

const struct transport unix_transport = {
	.scheme = "unix",
	.origin = "http://localhost",
	/* Plain HTTP needs none of what a full initialisation loads (TLS, …). */
	.curl_parts = CURL_GLOBAL_NOTHING,
	.check = check,
	.prepare = prepare,
	.explain = explain,
};
