/* The checks that the rows of several schemas use (schema.h): each looks at one value, and says what rule it needs. */
#pragma once

#include "rules/schema.h"

#define CHECK(name) int name(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)

CHECK(check_yes);	  /* other than false, 0, "" and the like: the rule must say yes */
CHECK(check_given);	  /* given at all */
CHECK(check_word);	  /* the string needs the rule, unless it is free */
CHECK(check_keys);	  /* each key of a map needs the rule, but those that are free */
CHECK(check_kind);	  /* an object: its "Name" or "Type" needs the rule, but those that are free */
CHECK(check_empty);	  /* no rule can allow anything but those that are free */
CHECK(check_drop);	  /* only clients use it: sent as "" */
CHECK(check_negative);	  /* a negative number needs the rule */
CHECK(check_path);	  /* a path within the container; Podman composes lists from it, separated by ':' and ',' */
CHECK(check_path_keys);	  /* the same for the keys of a map */
CHECK(check_image);	  /* the name of an image */
CHECK(check_labels);	  /* labels: none that root acts on, and not too many */
CHECK(check_environment); /* variables; Podman takes those without a value from its own */

#undef CHECK

/* Adds the label of the rules, if there is one, to the object's key "Labels". */
int checks_add_label(const struct verdict *v, cJSON *object, struct error *err);

/* Does Podman, or sockwake as root, act on this label of a container? */
bool checks_is_acted_on(const char *label);

/* Is it a name that sockwake gives to containers? */
bool checks_is_sockwakes_name(const char *name);

/* Can Podman put it into a list, separated by ':' and ',', and get it out again? */
bool checks_is_plain(const char *s);

/* Is it the name of an image? Podman takes some for files of the host: "docker-archive:/x", "dir:x". */
bool checks_is_image(const char *s);

/* Are these options of a tmpfs, and of nothing else? With "bind" among them it would be a directory of the host. */
bool checks_are_tmpfs_options(const char *o);

/* Could it be the beginning of an ID? Engines look up names before those: what others call by the beginning of its ID would be
 * what has it for its name. People do not write fewer than so many digits of an ID, and there are names such as "db". */
#define CHECKS_ID_LEAST 4
bool checks_is_like_id(const char *name);

/* May an image get this name, with or without a tag? It is not the beginning of an ID. */
bool checks_is_new_image(const char *s);

/* Replaces the string of an item, or its key. */
int checks_set_string(cJSON *item, const char *s, struct error *err);
int checks_set_key(cJSON *item, const char *s, struct error *err);
