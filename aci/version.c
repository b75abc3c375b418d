/* Versions: read in place, compared part by part. */
#include "aci/version.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define DIGITS     "0123456789"
#define IDENTIFIER DIGITS "-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* What is left to read of dotted parts. */
struct parts {
	const char *at;
	size_t len;
};

struct version {
	struct parts numbers, pre_release; /* pre_release.at NULL: none */
};

/* Takes dotted parts made of the characters of SET off the front of *TEXT; false when one is
 * empty. */
static bool take_parts(const char **text, const char *set, struct parts *ret)
{
	ret->at = *text;
	for (;;) {
		size_t len = strspn(*text, set);

		if (!len)
			return false;
		*text += len;
		if (**text != '.')
			break;
		(*text)++;
	}
	ret->len = (size_t)(*text - ret->at);
	return true;
}

static bool version_read(const char *text, struct version *ret)
{
	struct parts build;

	*ret = (struct version){ 0 };
	text += *text == 'v';
	if (!take_parts(&text, DIGITS, &ret->numbers))
		return false;
	if (*text == '-' && (text++, !take_parts(&text, IDENTIFIER, &ret->pre_release)))
		return false;
	if (*text == '+' && (text++, !take_parts(&text, IDENTIFIER, &build)))
		return false;
	return !*text;
}

/* The next part; false when there is none. */
static bool next_part(struct parts *rest, struct parts *ret)
{
	const char *dot;

	if (!rest->len)
		return false;
	dot = memchr(rest->at, '.', rest->len);
	*ret = (struct parts){ rest->at, dot ? (size_t)(dot - rest->at) : rest->len };
	rest->len -= ret->len + (dot != NULL);
	rest->at += ret->len + (dot != NULL);
	return true;
}

static int compare_bytes(struct parts a, struct parts b)
{
	int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static struct parts without_zeros(struct parts number)
{
	while (number.len && *number.at == '0') {
		number.at++;
		number.len--;
	}
	return number;
}

static int compare_numbers(struct parts a, struct parts b)
{
	a = without_zeros(a);
	b = without_zeros(b);
	return a.len != b.len ? (a.len > b.len ? 1 : -1) : compare_bytes(a, b);
}

static int compare_releases(struct parts a, struct parts b)
{
	for (;;) {
		struct parts left = { "", 0 }, right = { "", 0 };
		bool more = next_part(&a, &left);
		int order;

		more |= next_part(&b, &right);
		if (!more)
			return 0;
		order = compare_numbers(left, right);
		if (order)
			return order;
	}
}

static bool is_number(struct parts part)
{
	size_t i = 0;

	while (i < part.len && part.at[i] >= '0' && part.at[i] <= '9')
		i++;
	return i == part.len;
}

static int compare_pre_releases(struct parts a, struct parts b)
{
	if (!a.at || !b.at)
		return !a.at - !b.at;
	for (;;) {
		struct parts left, right;
		bool in_a = next_part(&a, &left), in_b = next_part(&b, &right);
		int order;

		if (!in_a || !in_b)
			return in_a - in_b;
		if (is_number(left) && is_number(right))
			order = compare_numbers(left, right);
		else if (is_number(left) || is_number(right))
			order = is_number(right) - is_number(left);
		else
			order = compare_bytes(left, right);
		if (order)
			return order;
	}
}

int version_compare(const char *a, const char *b)
{
	struct version left, right;
	bool good_a, good_b;
	int order;

	if (!a || !b)
		return !b - !a;
	good_a = version_read(a, &left);
	good_b = version_read(b, &right);
	if (good_a != good_b)
		return good_a - good_b;
	if (!good_a)
		return strcmp(a, b);
	order = compare_releases(left.numbers, right.numbers);
	return order ? order : compare_pre_releases(left.pre_release, right.pre_release);
}
