/* Whether sanitizers watch this build: they need files, memory and ends that it does without. */
#pragma once

/* clang only tells by __has_feature, which gcc before 14 does not know. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif

/* By AddressSanitizer, ThreadSanitizer or MemorySanitizer: 1, else 0. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ ||             \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif
