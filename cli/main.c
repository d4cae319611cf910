#include "cli/commands.h"

int main(int argc, char *argv[])
{
	return sockwake(argc, argv);
}
