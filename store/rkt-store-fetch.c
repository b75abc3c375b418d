/* What rkt-store fetch becomes. */
#include "store/cmd_fetch.h"
#include "store/cmd_secret.h"
#include "store/store.h"

int main(int argc, char **argv)
{
	rkt_store_catch_damage("rkt-store", RKT_INVALID);
	cli_end(cmd_secret_main(argc, argv, fetch_run));
}
