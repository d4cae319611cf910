/* libyaml, loaded on demand: only instances of Kubernetes files read YAML. */
#pragma once

#include <yaml.h>

#include "common/error.h"

/* The functions of libyaml that are used, under their own names. */
#define YAML_FUNCTIONS(X)                                                                                              \
	X(yaml_document_delete)                                                                                        \
	X(yaml_document_get_node)                                                                                      \
	X(yaml_document_get_root_node)                                                                                 \
	X(yaml_parser_delete)                                                                                          \
	X(yaml_parser_initialize)                                                                                      \
	X(yaml_parser_load)                                                                                            \
	X(yaml_parser_set_input_string)

struct yaml_library {
#define X(function) __typeof__ (&(function))(function);
	YAML_FUNCTIONS(X)
#undef X
};

/* Filled in by yaml_load(). */
extern struct yaml_library yaml;

/* Does nothing if loaded already. Code ENOENT. */
int yaml_load(struct error *err);
