#include "handover/exit.h"

bool exit_is_before_main(int status)
{
	return status == EXIT_NOT_FOUND || (status >= 200 && status <= 255);
}
