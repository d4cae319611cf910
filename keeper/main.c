/* keeper: the main process of an instance's service, from the first connection until the container sleeps again. */
#include "keeper/keeper.h"

int main(int argc, char **argv)
{
	return keeper_run(argc, argv);
}
