/* The rules for the options of `sockwake create --image`. */
#include "instance/made_container.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"

#define TEXT_MAX  (64U << 10)
#define WORDS_MAX 1024U
#define LETTERS	  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define ALNUM	  LETTERS "0123456789"

static void free_list(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

void made_container_clear(struct made_container *o)
{
	free(o->image);
	free_list(o->environment);
	free_list(o->volumes);
	free(o->network);
	free_list(o->command);
	*o = (struct made_container){};
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), end = strlen(suffix);

	return len > end && strcmp(s + len - end, suffix) == 0;
}

/* Quadlet uses such names for its own files. */
static bool is_file_of_quadlet(const char *s)
{
	static const char *const suffixes[] = {".image", ".build", ".network", ".container", ".pod", ".volume"};

	for (size_t k = 0; k < sizeof(suffixes) / sizeof(*suffixes); k++) {
		if (ends_with(s, suffixes[k]))
			return true;
	}
	return false;
}

/* The reference becomes part of a request's path. */
static bool image_is_valid(const char *s)
{
	return strlen(s) <= 512 && strspn(s, ALNUM) > 0 && strspn(s, ALNUM "._/:@-") == strlen(s) && !strstr(s, "..") &&
	       !strstr(s, "/.") && !strstr(s, "//") && !ends_with(s, "/") && !is_file_of_quadlet(s);
}

static bool network_is_valid(const char *s)
{
	return strlen(s) <= 512 && strspn(s, ALNUM) > 0 && strspn(s, ALNUM "_.:,=/+-") == strlen(s) &&
	       !is_file_of_quadlet(s);
}

static bool variable_is_valid(const char *s)
{
	size_t len = strcspn(s, "=");

	return len > 0 && s[len] == '=' && strspn(s, ALNUM "_.-") == len && strlen(s) <= TEXT_MAX &&
	       text_is_printable(s);
}

static bool options_are_valid(const char *s)
{
	return *s && strspn(s, ALNUM "_,=-") == strlen(s);
}

/* In a Quadlet, white space at the end would be lost, and a backslash there would join the next line. */
static bool directory_is_valid(const char *s)
{
	return path_is_valid(s) && !ends_with(s, " ") && !ends_with(s, "\\");
}

static bool volume_is_valid(const char *s)
{
	char text[8192], *destination, *options;

	if (strlen(s) >= sizeof(text))
		return false;
	strcpy(text, s);
	destination = strchr(text, ':');
	if (!destination)
		return false;
	*destination++ = '\0';
	options = strchr(destination, ':');
	if (options)
		*options++ = '\0';
	return (text[0] == '/' ? directory_is_valid(text)
			       : container_name_is_valid(text) && !is_file_of_quadlet(text)) &&
	       directory_is_valid(destination) && (!options || options_are_valid(options));
}

/* An empty word ends a Quadlet's Exec= (seen with Podman 5.4); a lone ";" ends a command of systemd's. */
static bool word_is_valid(const char *s)
{
	return *s && strcmp(s, ";") != 0 && strlen(s) <= TEXT_MAX && text_is_printable(s);
}

static int validate_list(char *const *list, bool (*is_valid)(const char *s), const char *rule, struct error *err)
{
	for (size_t k = 0; list && list[k]; k++) {
		if (k >= WORDS_MAX)
			return error_set(err, 0, "more than %u times the same option, or words of a command",
					 WORDS_MAX);
		if (!is_valid(list[k]))
			return error_set(err, 0, "'%.200s' is not %s", list[k], rule);
	}
	return 0;
}

int made_container_validate(const struct made_container *o, struct error *err)
{
	if (!o->image || !image_is_valid(o->image))
		return error_set(err, 0, "'%s' is not the name of an image", o->image ? o->image : "");
	if (o->network && !network_is_valid(o->network))
		return error_set(err, 0,
				 "'%s' is not a network: none, host, bridge, slirp4netns, pasta, or a network's name",
				 o->network);
	if (validate_list(o->environment, variable_is_valid, "a variable: NAME=VALUE, one line of printable UTF-8",
			  err) < 0 ||
	    validate_list(o->volumes, volume_is_valid, "a volume: /PATH:/PATH[:OPTIONS] or NAME:/PATH[:OPTIONS]", err) <
		    0)
		return -1;
	return validate_list(o->command, word_is_valid,
			     "a word that can be passed on: one line of printable UTF-8, not empty, not ';' alone "
			     "('sh -c' can pass on any)",
			     err);
}
