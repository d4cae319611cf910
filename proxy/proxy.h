/* The state of one proxy process. */
#pragma once

#include "proxy/lifecycle.h"
#include "proxy/listeners.h"
#include "proxy/options.h"
#include "proxy/report.h"

struct proxy {
	struct proxy_options options;
	struct service service;
	struct report report;
	struct lifecycle lifecycle;
	struct accepted *accepted;
	size_t n_accepted;
	int pidfd;
	int hold_fd;
};
