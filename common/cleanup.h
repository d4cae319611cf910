/* Cleanup attributes: a variable frees what it owns when it leaves its scope.
 *
 *	_cleanup_close_ int fd = open(...);
 *	...
 *	return steal_fd(&fd);		ownership goes to the caller
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void close_stream(FILE **f)
{
	if (*f)
		fclose(*f);
	*f = NULL;
}

static inline void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
	*d = NULL;
}

static inline void free_ptr(void *p)
{
	free(*(void **)p);
	*(void **)p = NULL;
}

static inline int steal_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

#define steal_ptr(p)                                                                                                   \
	({                                                                                                             \
		__typeof__(*(p)) p_ = *(p);                                                                            \
		*(p) = NULL;                                                                                           \
		p_;                                                                                                    \
	})

#define _cleanup_close_	 _cleanup_(close_fd)
#define _cleanup_fclose_ _cleanup_(close_stream)
#define _cleanup_dir_	 _cleanup_(close_dir)
#define _cleanup_free_	 _cleanup_(free_ptr)
