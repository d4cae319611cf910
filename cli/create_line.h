/* The command line of create, and of set, whose options are some of those of create: as given, without defaults. */
#pragma once

#include "common/option_table.h"
#include "control/create_request.h"

/* The options that are combined once the whole command line is read. */
struct create_line {
	struct create_request request; /* the finished parts */
	char *name, *engine_socket, *backend, *idle_action, *workers, *listen_port, *container_port;
	bool no_notifications;

	/* Of set alone. */
	bool all;
	char **unset; /* NULL-terminated, may be NULL: names of options */
};

/* Frees all but the request. */
void create_line_clear(struct create_line *line);

/* The `sets` of the tables. */
enum { CREATE_LINE_CREATES = 1, CREATE_LINE_SETS = 2 };
extern const struct option_row create_line_rows[];

/* Values of rows: a char *, a list. */
int create_line_take_text(void *text, const char *value, const struct option_row *row, struct error *err);
int create_line_take_list(void *list, const char *value, const struct option_row *row, struct error *err);

/* Puts a copy of the value in the place of *text. */
int create_line_replace(char **text, const char *value, struct error *err);

/* Appends a copy of the value to a NULL-terminated list, which may be NULL. */
int create_line_append(char ***list, const char *value, struct error *err);

/* The values that are words or numbers, where they are given. */
int create_line_read_words(const struct create_line *line, struct instance *i, struct error *err);

/* Whom to notify, by i->user or the environment. */
int create_line_find_user(struct instance *i, bool wanted, struct error *err);
