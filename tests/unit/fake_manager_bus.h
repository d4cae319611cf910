/* libsystemd for the fake service manager, and values of D-Bus as text and back. */
#pragma once

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define FAKE_ROOT      "/org/freedesktop/systemd1"
#define FAKE_INTERFACE "org.freedesktop.systemd1.Manager"

#define FAKE_FUNCTIONS(X)                                                                                              \
	X(sd_bus_flush)                                                                                                \
	X(sd_bus_get_events)                                                                                           \
	X(sd_bus_get_fd)                                                                                               \
	X(sd_bus_close)                                                                                                \
	X(sd_bus_message_append)                                                                                       \
	X(sd_bus_message_append_array)                                                                                 \
	X(sd_bus_message_append_basic)                                                                                 \
	X(sd_bus_message_close_container)                                                                              \
	X(sd_bus_message_enter_container)                                                                              \
	X(sd_bus_message_exit_container)                                                                               \
	X(sd_bus_message_get_interface)                                                                                \
	X(sd_bus_message_get_member)                                                                                   \
	X(sd_bus_message_get_path)                                                                                     \
	X(sd_bus_message_is_method_call)                                                                               \
	X(sd_bus_message_new_method_errorf)                                                                            \
	X(sd_bus_message_new_method_return)                                                                            \
	X(sd_bus_message_new_signal)                                                                                   \
	X(sd_bus_message_open_container)                                                                               \
	X(sd_bus_message_peek_type)                                                                                    \
	X(sd_bus_message_read)                                                                                         \
	X(sd_bus_message_read_basic)                                                                                   \
	X(sd_bus_message_rewind)                                                                                       \
	X(sd_bus_message_unref)                                                                                        \
	X(sd_bus_new)                                                                                                  \
	X(sd_bus_path_decode)                                                                                          \
	X(sd_bus_process)                                                                                              \
	X(sd_bus_send)                                                                                                 \
	X(sd_bus_set_fd)                                                                                               \
	X(sd_bus_set_sender)                                                                                           \
	X(sd_bus_set_server)                                                                                           \
	X(sd_bus_set_trusted)                                                                                          \
	X(sd_bus_start)                                                                                                \
	X(sd_bus_unref)

static struct {
#define X(function) __typeof__ (&(function))(function);
	FAKE_FUNCTIONS(X)
#undef X
} fake_bus;

static inline void fake_load(void)
{
#define X(function) #function,
	static const char *const names[] = {FAKE_FUNCTIONS(X)};
#undef X
	void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL), *address;

	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		address = library ? dlsym(library, names[k]) : NULL;
		if (!address)
			abort();
		memcpy((char *)&fake_bus + k * sizeof(address), &address, sizeof(address));
	}
}

static inline void fake_append_bytes(sd_bus_message *m, const char *hexadecimal)
{
	uint8_t bytes[32];
	unsigned one;
	size_t n = 0;

	for (; sscanf(hexadecimal + 2 * n, "%2x", &one) == 1; n++)
		bytes[n] = (uint8_t)one;
	fake_bus.sd_bus_message_append_array(m, 'y', bytes, n);
}

static inline void fake_append_words(sd_bus_message *m, const char *words)
{
	char copy[160], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", words);
	fake_bus.sd_bus_message_open_container(m, 'a', "s");
	while ((word = strsep(&rest, " "))) {
		if (*word)
			fake_bus.sd_bus_message_append(m, "s", word);
	}
	fake_bus.sd_bus_message_close_container(m);
}

/* The path, the words, whether a failure is ignored, and how it went. */
static inline void fake_append_commands(sd_bus_message *m, const char *value)
{
	char copy[160], *rest = copy, *command;

	snprintf(copy, sizeof(copy), "%s", value);
	fake_bus.sd_bus_message_open_container(m, 'a', "(sasbttttuii)");
	while (*value && (command = strsep(&rest, ";"))) {
		fake_bus.sd_bus_message_open_container(m, 'r', "sasbttttuii");
		fake_bus.sd_bus_message_append(m, "s", "/path");
		fake_append_words(m, command);
		fake_bus.sd_bus_message_append(m, "bttttuii", 0, (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0, 0,
					       0, 0);
		fake_bus.sd_bus_message_close_container(m);
	}
	fake_bus.sd_bus_message_close_container(m);
}

static inline void fake_append_pairs(sd_bus_message *m, const char *value)
{
	char copy[160], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", value);
	fake_bus.sd_bus_message_open_container(m, 'a', "(ss)");
	while (*value && (word = strsep(&rest, " ")))
		fake_bus.sd_bus_message_append(m, "(ss)", word, strsep(&rest, " "));
	fake_bus.sd_bus_message_close_container(m);
}

static inline void fake_append(sd_bus_message *m, const char *type, const char *value)
{
	char path[64] = "/";

	if (strcmp(type, "a(ss)") == 0)
		return fake_append_pairs(m, value);

	if (strcmp(type, "a(sasbttttuii)") == 0)
		return fake_append_commands(m, value);
	if (strcmp(type, "ay") == 0)
		return fake_append_bytes(m, value);
	if (strcmp(type, "as") == 0)
		return fake_append_words(m, value);
	if (strcmp(type, "(uo)") == 0) {
		if (strcmp(value, "0") != 0)
			snprintf(path, sizeof(path), FAKE_ROOT "/job/%s", value);
		fake_bus.sd_bus_message_append(m, "(uo)", (uint32_t)atol(value), path);
	} else if (type[0] == 's') {
		fake_bus.sd_bus_message_append(m, "s", value);
	} else if (type[0] == 't') {
		fake_bus.sd_bus_message_append(m, "t", strtoull(value, NULL, 10));
	} else {
		fake_bus.sd_bus_message_append(m, type, (uint32_t)atol(value));
	}
}

static inline void fake_append_variant(sd_bus_message *m, const char *type, const char *value)
{
	fake_bus.sd_bus_message_open_container(m, 'v', type);
	fake_append(m, type, value);
	fake_bus.sd_bus_message_close_container(m);
}

/* Everything that is left of a message, as text. */
static inline void fake_dump(sd_bus_message *m, FILE *f)
{
	union {
		const char *text;
		uint64_t number;
	} v;
	const char *contents, *before = "";
	char type;

	while (fake_bus.sd_bus_message_peek_type(m, &type, &contents) > 0) {
		fputs(before, f);
		before = " ";
		v.number = 0;
		if (contents) {
			fputc(type == 'v' ? '<' : '(', f);
			fake_bus.sd_bus_message_enter_container(m, type, contents);
			fake_dump(m, f);
			fake_bus.sd_bus_message_exit_container(m);
			fputc(type == 'v' ? '>' : ')', f);
		} else if (fake_bus.sd_bus_message_read_basic(m, type, &v) < 0) {
			return;
		} else if (strchr("sog", type)) {
			fputs(v.text, f);
		} else {
			fprintf(f, "%llu", (unsigned long long)v.number);
		}
	}
}
