#include "handover/sources.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "handover/environment.h"
#include "handover/outside.h"

#define HOST "host"

int sources_hand_on(bool host, bool ipv6, struct error *err)
{
	const char *text = host ? HOST : ipv6 ? OUTSIDE_IPV4 "," OUTSIDE_IPV6 : OUTSIDE_IPV4;

	return environment_set_text(VARIABLE_SOURCES, text, err);
}

int sources_inherited(struct sources *ret, struct error *err)
{
	const char *text = environment_text(VARIABLE_SOURCES), *name = environment_name(VARIABLE_SOURCES);
	_cleanup_free_ char *copy = NULL;
	char *rest;

	*ret = (struct sources){};
	if (!text)
		return 0;
	ret->host = strcmp(text, HOST) == 0;
	if (ret->host)
		return 1;
	rest = copy = strdup(text);
	if (!copy)
		return error_errno(err, ENOMEM, "cannot read $%s", name);
	for (char *word; (word = strsep(&rest, ","));) {
		if (inet_pton(AF_INET, word, &ret->ipv4.sin_addr) == 1)
			ret->ipv4.sin_family = AF_INET;
		else if (inet_pton(AF_INET6, word, &ret->ipv6.sin6_addr) == 1)
			ret->ipv6.sin6_family = AF_INET6;
		else
			return error_set(err, EINVAL, "$%s is '%s', not a list of addresses as nshelper makes it", name,
					 text);
	}
	return 1;
}
