/* nshelper(8): runs a command in a container's network namespace, with no privilege left. */
#include "nshelper/run.h"

int main(int argc, char *argv[])
{
	return nshelper_run(argc, argv);
}
