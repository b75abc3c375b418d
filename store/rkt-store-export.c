/* What rkt-store export becomes. */
#include "store/cmd_export.h"
#include "store/store.h"

int main(int argc, char **argv)
{
	rkt_store_catch_damage("rkt-store", RKT_INVALID);
	return cli_main(argc, argv, export_run, 0);
}
