/* The programs that a keeper starts. It opens each once, so that an upgrade in the middle of a wake cannot mix
 * versions. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "handover/channel.h"
#include "handover/environment.h"

struct program {
	const char *path;
	int fd; /* O_PATH, close-on-exec */
};

/* Opens the program and checks that it may be executed. The path must outlive *ret. */
int program_open(const char *path, struct program *ret, struct error *err);

struct child {
	const char *name; /* for messages: "the proxy" */
	pid_t pid;	  /* 0: not running */
	int channel;	  /* a socket to the child; -1: closed */
	int status;	  /* of the last child, as waitpid(2) returns it */
};
#define NO_CHILD(what) ((struct child){.name = (what), .channel = -1})

#define INHERIT_MAX 96 /* the accepted clients (queue.h), and a few more */

/* What a child inherits beside its command line and the standard streams. */
struct inheritance {
	struct {
		enum variable variable;
		uint64_t value;
	} numbers[VARIABLES];
	size_t n_numbers;
	const char *accepted; /* VARIABLE_ACCEPTED; "" or NULL: not set */
	int fds[INHERIT_MAX]; /* stay open over exec */
	size_t n_fds;
	int listeners; /* listening sockets to pass on as systemd would; 0: none */
	bool no_files; /* the child cannot make files grow */
};
void inherit_deadline(struct inheritance *i, uint64_t deadline);	/* USEC_INFINITY: does nothing */
void inherit_fd(struct inheritance *i, enum variable variable, int fd); /* -1: does nothing */
void inherit_open(struct inheritance *i, int fd); /* a descriptor that no variable of its own names */

/* Starts the program in a child process; c->channel becomes the socket to it. The child ends when this process ends. */
int child_start(struct child *c, const struct program *p, char *const *argv, const struct inheritance *i,
		struct error *err);

/* Reaps a child that has ended; false if it is still running. */
bool child_reap(struct child *c);

/* 0 if it ended with status 0; -1 otherwise, with "was killed by signal 9" or "ended with status 1". */
int child_result(const struct child *c, char *ret, size_t size);

void child_signal(const struct child *c, int signal);
