/*
 * Which of two versions is newer: for dependencies that name no version (doc/spec-readings.md,
 * "Dependencies").
 *
 *	version     = ["v"] number{"." number} ["-" pre-release] ["+" build]
 *
 * The precedence of semver.org 2.0.0, for any count of numbers (missing ones are 0): 3.10 is newer
 * than 3.9.2, 1.0.0-rc.1 older than 1.0.0, and the build says nothing. Numbers may have any length.
 * A label that is no version in this sense is older than any that is one; two such are compared by
 * their bytes.
 */
#pragma once

/* Below 0, 0 or above 0 as A is older than, as new as, or newer than B; a total order. NULL, no
 * version at all, is the oldest. */
int version_compare(const char *a, const char *b);
