/* What rkt-store fetch becomes. */
#include "store/cmd_fetch.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv, fetch_run, 0);
}
