/* libsystemd's sd-bus, loaded on demand: linking with it would make every wake load six more libraries (0.4 ms on
 * Debian 13, 0.8 ms on 12). Only wakes of instances with --unit use a bus.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "common/cleanup.h"
#include "common/error.h"

/* The functions of sd-bus(3) that are used, under their own names. */
#define BUS_FUNCTIONS(X)                                                                                               \
	X(sd_bus_call)                                                                                                 \
	X(sd_bus_call_async)                                                                                           \
	X(sd_bus_call_method)                                                                                          \
	X(sd_bus_error_free)                                                                                           \
	X(sd_bus_error_has_name)                                                                                       \
	X(sd_bus_flush_close_unref)                                                                                    \
	X(sd_bus_get_property)                                                                                         \
	X(sd_bus_is_open)                                                                                              \
	X(sd_bus_match_signal)                                                                                         \
	X(sd_bus_message_append)                                                                                       \
	X(sd_bus_message_append_strv)                                                                                  \
	X(sd_bus_message_appendv)                                                                                      \
	X(sd_bus_message_close_container)                                                                              \
	X(sd_bus_message_enter_container)                                                                              \
	X(sd_bus_message_exit_container)                                                                               \
	X(sd_bus_message_get_errno)                                                                                    \
	X(sd_bus_message_is_method_error)                                                                              \
	X(sd_bus_message_new_method_call)                                                                              \
	X(sd_bus_message_open_container)                                                                               \
	X(sd_bus_message_read)                                                                                         \
	X(sd_bus_message_read_array)                                                                                   \
	X(sd_bus_message_read_strv)                                                                                    \
	X(sd_bus_message_skip)                                                                                         \
	X(sd_bus_message_unref)                                                                                        \
	X(sd_bus_new)                                                                                                  \
	X(sd_bus_open_system)                                                                                          \
	X(sd_bus_open_user)                                                                                            \
	X(sd_bus_path_encode)                                                                                          \
	X(sd_bus_process)                                                                                              \
	X(sd_bus_set_address)                                                                                          \
	X(sd_bus_set_bus_client)                                                                                       \
	X(sd_bus_start)                                                                                                \
	X(sd_bus_wait)

struct bus_library {
#define X(function) __typeof__ (&(function))(function);
	BUS_FUNCTIONS(X)
#undef X
};

/* Filled in by bus_load(). */
extern struct bus_library bus;

/* Does nothing if loaded already. Code ENOENT. */
int bus_load(struct error *err);

/* A pointer that is not NULL shows that bus_load() was called. */
static inline void bus_close(sd_bus **b)
{
	if (*b)
		*b = bus.sd_bus_flush_close_unref(*b);
}

static inline void bus_message_release(sd_bus_message **m)
{
	if (*m)
		*m = bus.sd_bus_message_unref(*m);
}

static inline void bus_error_clear(sd_bus_error *e)
{
	bus.sd_bus_error_free(e);
}

#define _cleanup_bus_	  _cleanup_(bus_close)
#define _cleanup_message_ _cleanup_(bus_message_release)
#define _cleanup_bus_err_ _cleanup_(bus_error_clear)
