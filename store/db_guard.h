/*
 * What a damaged index may do that LMDB does not notice: send it to memory that is not there. LMDB
 * trusts the pages it maps; only what can be seen without reading them all is checked beforehand
 * (db_look()). Such a fault ends the process with a sentence, where the program asked for that
 * (rkt_store_catch_damage()); what a transaction was about to change is as it was.
 */
#pragma once

/* From here on until db_guard_leave() this thread is in the hands of LMDB. They nest. */
void db_guard_enter(void);
void db_guard_leave(void);
