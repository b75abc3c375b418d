/* Inside a home, for the files of this folder that talk to gpgme. */
#pragma once

#include <gpgme.h>

#include "base/library.h"
#include "store/trust/verify.h"

/* What is called of gpgme. Only who judges a signature or looks at a key loads it. */
#define GPGME_CALLS(CALL, of)                    \
	CALL(of, gpgme_check_version_internal)   \
	CALL(of, gpgme_ctx_set_engine_info)      \
	CALL(of, gpgme_data_new)                 \
	CALL(of, gpgme_data_new_from_cbs)        \
	CALL(of, gpgme_data_new_from_mem)        \
	CALL(of, gpgme_data_release)             \
	CALL(of, gpgme_data_release_and_get_mem) \
	CALL(of, gpgme_engine_check_version)     \
	CALL(of, gpgme_free)                     \
	CALL(of, gpgme_get_key)                  \
	CALL(of, gpgme_hash_algo_name)           \
	CALL(of, gpgme_key_unref)                \
	CALL(of, gpgme_new)                      \
	CALL(of, gpgme_op_export)                \
	CALL(of, gpgme_op_import)                \
	CALL(of, gpgme_op_import_result)         \
	CALL(of, gpgme_op_keylist_end)           \
	CALL(of, gpgme_op_keylist_next)          \
	CALL(of, gpgme_op_keylist_start)         \
	CALL(of, gpgme_op_verify)                \
	CALL(of, gpgme_op_verify_result)         \
	CALL(of, gpgme_pubkey_algo_string)       \
	CALL(of, gpgme_release)                  \
	CALL(of, gpgme_result_ref)               \
	CALL(of, gpgme_result_unref)             \
	CALL(of, gpgme_set_armor)                \
	CALL(of, gpgme_set_ctx_flag)             \
	CALL(of, gpgme_set_global_flag)          \
	CALL(of, gpgme_set_protocol)             \
	CALL(of, gpgme_set_status_cb)            \
	CALL(of, gpgme_strerror)                 \
	CALL(of, gpgme_strerror_r)
extern LIBRARY_STRUCT(gpgme, GPGME_CALLS) gpgme;

struct trust_home {
	char *path;
	int dir; /* the lock on it; -1: not made yet */
	gpgme_ctx_t gpg;
};

/* Fails with RKT_FAILED and gpgme's words for ERROR. */
int gpg_failed(gpgme_error_t error, const char *doing, rkt_error **err);

/* Why signatures by KEY are too weak to count, in words; NULL: they are not. */
const char *gpg_key_weakness(gpgme_subkey_t key);
