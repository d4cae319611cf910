#include "units/yaml_library.h"

#include <stdbool.h>

#include "units/library.h"

struct yaml_library yaml;

int yaml_load(struct error *err)
{
#define X(function) #function "\0"
	static const char names[] = YAML_FUNCTIONS(X); /* in the order of the table */
#undef X
	static bool loaded;

	loaded = loaded || library_load("libyaml-0.so.2", names, &yaml, "libyaml", err) == 0;
	return loaded ? 0 : -1;
}
