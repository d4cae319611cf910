#include "router/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"

/* Editors write in pieces: what is younger is not believed yet, if there is something older to go by. */
#define SETTLE_USEC (100 * USEC_PER_MSEC)

/* The text of the file, malloc()ed; NULL: there is none. */
static int read_text(const char *path, char **ret, struct error *err)
{
	size_t len;

	*ret = NULL;
	if (file_read(AT_FDCWD, path, CONFIG_MAX, ret, &len, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	return strlen(*ret) == len ? 0 : error_set(err, 0, "%s: a NUL byte is in it", path);
}

/* Both parts of the text. Changes nothing of it. */
static int parse(const struct router_options *o, const char *text, struct config *ret, struct rules **ret_rules,
		 struct error *err)
{
	_cleanup_free_ char *ours = text ? strdup(text) : NULL, *theirs = text ? strdup(text) : NULL;

	if (text && (!ours || !theirs))
		return error_set(err, ENOMEM, "out of memory");
	config_defaults(ret);
	ret->restricted = o->restricted;
	if (config_parse(o->config, ours, false, ret, err) < 0)
		return -1;
	return ret->has_rules && ret_rules ? rules_parse(o->config, theirs, ret_rules, err) : 0;
}

/* Sealed: all workers read the same. */
static int copy_text(const char *text, struct error *err)
{
	_cleanup_close_ int fd = memfd_create("router.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t len = text ? strlen(text) : 0;

	if (fd < 0 || (len > 0 && write(fd, text, len) != (ssize_t)len) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return error_errno(err, errno, "cannot copy the configuration");
	return steal_fd(&fd);
}

static int read_again(struct settings *s, const struct router_options *o, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_rules_ struct rules *rules = NULL;
	struct config config;
	int copy;

	if (read_text(o->config, &text, err) < 0 || parse(o, text, &config, &rules, err) < 0)
		return -1;
	copy = copy_text(text, err);
	if (copy < 0)
		return -1;
	if (s->copy >= 0)
		close(s->copy);
	s->copy = copy;
	s->config = config;
	s->known = true;
	return error_clear(&s->trouble);
}

static void look_at_file(const char *path, struct stat *ret)
{
	if (stat(path, ret) < 0)
		*ret = (struct stat){};
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* A file of the future is complete. */
static bool is_fresh(const struct stat *st)
{
	uint64_t changed = (uint64_t)st->st_ctim.tv_sec * USEC_PER_SEC + (uint64_t)st->st_ctim.tv_nsec / 1000;
	uint64_t now = wall_usec();

	return now >= changed && now - changed < SETTLE_USEC;
}

int settings_open(struct settings *s, const struct router_options *o, struct error *err)
{
	struct error trouble;

	*s = (struct settings){.copy = -1};
	config_defaults(&s->config);
	s->config.path = o->config;
	look_at_file(o->config, &s->seen);
	if (read_again(s, o, &trouble) == 0)
		return 0;
	s->trouble = trouble;
	s->copy = copy_text(NULL, err);
	return s->copy < 0 ? -1 : 0;
}

enum settings_change settings_refresh(struct settings *s, const struct router_options *o)
{
	struct error trouble;
	struct stat now;

	look_at_file(o->config, &now);
	if (is_same_file(&now, &s->seen) || (s->known && is_fresh(&now)))
		return SETTINGS_SAME;
	s->seen = now;
	if (read_again(s, o, &trouble) == 0)
		return SETTINGS_NEW;
	s->trouble = trouble;
	return SETTINGS_WRONG;
}

int settings_receive(const struct router_options *o, struct config *ret, struct rules **ret_rules, struct error *err)
{
	_cleanup_free_ char *text = calloc(1, CONFIG_MAX + 1);

	if (!text)
		return error_set(err, ENOMEM, "out of memory");
	if (pread(SETTINGS_FD, text, CONFIG_MAX, 0) < 0)
		return error_errno(err, errno, "cannot read the copy of the configuration");
	return parse(o, text, ret, ret_rules, err);
}

int settings_check(const struct router_options *o, struct config *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_rules_ struct rules *rules = NULL;

	return read_text(o->config, &text, err) < 0 ? -1 : parse(o, text, ret, &rules, err);
}
