#include "activator/activator.h"

int main(int argc, char **argv)
{
	return activator_run(argc, argv);
}
