/* Writing a tree as an EROFS index. */
#pragma once

#include "store/index/index.h"
#include "store/index/node.h"

struct write_input {
	const struct nodes *nodes;
	const uint32_t
		*tar_blocks; /* the size of each tar, in 512-byte blocks, in order of devices */
	uint32_t tar_count;  /* at most EROFS_DEVICES_MAX */
};

/* Writes the index to OUT from its start on. Sets INODES and SIZE of RET_STATS. */
int write_index(
	const struct write_input *input, int out, struct index_stats *ret_stats, rkt_error **err);
