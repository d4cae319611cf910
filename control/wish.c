#include "control/wish.h"

#include <string.h>

#include "instance/made_container.h"

bool wish_is(const struct label *l)
{
	return strncmp(l->key, LABEL_PREFIX, strlen(LABEL_PREFIX)) == 0 && strcmp(l->key, MADE_LABEL) != 0 &&
	       strcmp(l->key, MADE_OF_LABEL) != 0 && strcmp(l->key, MADE_AS_LABEL) != 0;
}

bool wish_is_there(const struct container *c)
{
	for (size_t k = 0; k < c->n_labels; k++) {
		if (wish_is(&c->labels[k]))
			return true;
	}
	return false;
}
