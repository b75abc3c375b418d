/* Values of header fields: one small scanner, and a function for each field. */
#include "store/fetch/header.h"

#include <string.h>
#include <strings.h>

/* ---- scanning -------------------------------------------------------------------------------- */

struct scan {
	const uint8_t *at, *end;
};

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_token(uint8_t c)
{
	return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static struct slice trimmed(struct slice value)
{
	while (value.len && is_space(value.data[value.len - 1]))
		value.len--;
	for (; value.len && is_space(*value.data); value.len--)
		value.data++;
	return value;
}

static struct scan scan_start(struct slice value)
{
	value = trimmed(value);
	/* nothing is added to NULL, not even 0 */
	return (struct scan){ value.data, value.len ? value.data + value.len : value.data };
}

static bool scan_done(const struct scan *scan)
{
	return scan->at == scan->end;
}

static void skip_space(struct scan *scan)
{
	while (!scan_done(scan) && is_space(*scan->at))
		scan->at++;
}

static bool take(struct scan *scan, char wanted)
{
	if (scan_done(scan) || *scan->at != (uint8_t)wanted)
		return false;
	scan->at++;
	return true;
}

static struct slice take_while(struct scan *scan, bool (*is)(uint8_t))
{
	const uint8_t *start = scan->at;

	while (!scan_done(scan) && is(*scan->at))
		scan->at++;
	return (struct slice){ start, (size_t)(scan->at - start) };
}

static bool slice_is(struct slice slice, const char *text)
{
	return slice.len == strlen(text) &&
	       strncasecmp((const char *)slice.data, text, slice.len) == 0;
}

/* Any number of digits; false when there is none, or the value is above MAX. */
static bool take_u64(struct scan *scan, uint64_t max, uint64_t *ret)
{
	struct slice digits = take_while(scan, is_digit);

	*ret = 0;
	for (size_t i = 0; i < digits.len; i++) {
		uint64_t digit = digits.data[i] - '0';

		if (*ret > (max - digit) / 10)
			return false;
		*ret = *ret * 10 + digit;
	}
	return digits.len > 0;
}

static bool to_seconds(struct slice digits, int64_t *ret_sec)
{
	int64_t sec = 0;

	for (size_t i = 0; i < digits.len; i++) {
		if (!is_digit(digits.data[i]))
			return false;
		sec = sec * 10 + (digits.data[i] - '0');
		if (sec > HEADER_SEC_MAX)
			sec = HEADER_SEC_MAX;
	}
	*ret_sec = sec;
	return digits.len > 0;
}

bool header_seconds_parse(struct slice value, int64_t *ret_sec)
{
	return to_seconds(trimmed(value), ret_sec);
}

/* ---- Cache-Control --------------------------------------------------------------------------- */

/* Takes a quoted string, and lends what is between its quotes with backslashes as they are: no
 * argument that means something to us needs one. */
static bool take_quoted(struct scan *scan, struct slice *ret)
{
	const uint8_t *start = scan->at + 1;

	if (!take(scan, '"'))
		return false;
	for (; !scan_done(scan); scan->at++) {
		if (*scan->at == '\\' && scan->end - scan->at > 1) {
			scan->at++;
		} else if (*scan->at == '"') {
			*ret = (struct slice){ start, (size_t)(scan->at - start) };
			scan->at++;
			return true;
		}
	}
	return false;
}

static void take_max_age(struct slice argument, struct cache_control *ret)
{
	int64_t sec;

	if (!to_seconds(argument, &sec) || (ret->has_max_age && sec != ret->max_age_sec))
		sec = 0;
	ret->has_max_age = true;
	ret->max_age_sec = sec;
}

static bool take_directive(struct scan *scan, struct cache_control *ret)
{
	struct slice name = take_while(scan, is_token), argument = { 0 };

	if (!name.len)
		return false;
	if (take(scan, '=')) {
		argument = take_while(scan, is_token);
		if (!argument.len && !take_quoted(scan, &argument))
			return false;
	}
	if (slice_is(name, "no-store"))
		ret->no_store = true;
	else if (slice_is(name, "no-cache"))
		ret->no_cache = true;
	else if (slice_is(name, "max-age"))
		take_max_age(argument, ret);
	return true;
}

void cache_control_parse(struct slice value, struct cache_control *ret)
{
	struct scan scan = scan_start(value);
	bool is_good = true;

	while (is_good && !scan_done(&scan)) {
		skip_space(&scan);
		if (take(&scan, ',')) /* lists may have empty elements */
			continue;
		is_good = take_directive(&scan, ret);
		skip_space(&scan);
		is_good = is_good && (scan_done(&scan) || take(&scan, ','));
	}
	if (!is_good)
		ret->no_cache = true;
}

/* ---- dates ----------------------------------------------------------------------------------- */

struct date {
	int year, month, day, hour, minute, second; /* month and day from 1 */
};

static int64_t days_from_civil(int year, int month, int day)
{
	int64_t from = year - (month <= 2); /* years begin in March, so leap days end them */
	int64_t era = (from >= 0 ? from : from - 399) / 400, of_era = from - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool date_is(const struct date *date)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return date->day >= 1 && date->hour <= 23 && date->minute <= 59 && date->second <= 60 &&
	       date->day <= days[date->month - 1] + (date->month == 2 && is_leap(date->year));
}

static int64_t date_sec(const struct date *date)
{
	return days_from_civil(date->year, date->month, date->day) * 86400 + date->hour * 3600 +
	       date->minute * 60 + date->second;
}

/* Exactly LEN digits. */
static bool take_number(struct scan *scan, int len, int *ret)
{
	*ret = 0;
	for (int i = 0; i < len; i++, scan->at++) {
		if (scan_done(scan) || !is_digit(*scan->at))
			return false;
		*ret = *ret * 10 + (*scan->at - '0');
	}
	return true;
}

static bool take_text(struct scan *scan, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, text, len) != 0)
		return false;
	scan->at += len;
	return true;
}

static const char *const weekdays[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday", "Sunday" };

static bool take_month(struct scan *scan, int *ret)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };

	for (size_t i = 0; i < ARRAY_LEN(months); i++) {
		*ret = (int)i + 1;
		if (take_text(scan, months[i]))
			return true;
	}
	return false;
}

static bool take_clock(struct scan *scan, struct date *ret)
{
	return take_number(scan, 2, &ret->hour) && take(scan, ':') &&
	       take_number(scan, 2, &ret->minute) && take(scan, ':') &&
	       take_number(scan, 2, &ret->second);
}

/* What follows "Sun,": 06 Nov 1994 08:49:37 GMT */
static bool take_imf(struct scan *scan, struct date *ret)
{
	return take(scan, ' ') && take_number(scan, 2, &ret->day) && take(scan, ' ') &&
	       take_month(scan, &ret->month) && take(scan, ' ') &&
	       take_number(scan, 4, &ret->year) && take(scan, ' ') && take_clock(scan, ret) &&
	       take_text(scan, " GMT");
}

/* What follows "Sunday,": 06-Nov-94 08:49:37 GMT */
static bool take_rfc850(struct scan *scan, struct date *ret)
{
	return take(scan, ' ') && take_number(scan, 2, &ret->day) && take(scan, '-') &&
	       take_month(scan, &ret->month) && take(scan, '-') &&
	       take_number(scan, 2, &ret->year) && take(scan, ' ') && take_clock(scan, ret) &&
	       take_text(scan, " GMT");
}

/* What follows "Sun": Nov  6 08:49:37 1994 */
static bool take_asctime(struct scan *scan, struct date *ret)
{
	if (!take(scan, ' ') || !take_month(scan, &ret->month) || !take(scan, ' '))
		return false;
	if (!take_number(scan, take(scan, ' ') ? 1 : 2, &ret->day))
		return false;
	return take(scan, ' ') && take_clock(scan, ret) && take(scan, ' ') &&
	       take_number(scan, 4, &ret->year);
}

static int year_now(int64_t now_sec)
{
	int year = 1970 + (int)(now_sec / 31556952); /* off by one at most, about New Year */

	while (days_from_civil(year + 1, 1, 1) * 86400 <= now_sec)
		year++;
	while (days_from_civil(year, 1, 1) * 86400 > now_sec)
		year--;
	return year;
}

/* DIGITS as a year: the latest that is not more than 50 years ahead. */
static int whole_year(int digits, int64_t now_sec)
{
	int limit = year_now(now_sec) + 50, year = limit - limit % 100 + digits;

	return year > limit ? year - 100 : year;
}

static bool take_date(struct scan *scan, int64_t now_sec, struct date *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(weekdays); i++) {
		const char brief[] = { weekdays[i][0], weekdays[i][1], weekdays[i][2], '\0' };

		if (take_text(scan, weekdays[i])) {
			if (!take(scan, ',') || !take_rfc850(scan, ret))
				return false;
			ret->year = whole_year(ret->year, now_sec);
			return true;
		}
		if (take_text(scan, brief))
			return take(scan, ',') ? take_imf(scan, ret) : take_asctime(scan, ret);
	}
	return false;
}

bool http_date_parse(struct slice value, int64_t now_sec, int64_t *ret_sec)
{
	struct scan scan = scan_start(value);
	struct date date = { 0 };

	if (now_sec < 0 || now_sec > HEADER_SEC_MAX * 64) /* a clock beyond year 6000 is none */
		now_sec = 0;
	if (!take_date(&scan, now_sec, &date) || !scan_done(&scan) || !date_is(&date))
		return false;
	*ret_sec = date_sec(&date);
	return true;
}

bool retry_after_parse(struct slice value, int64_t now_sec, int64_t *ret_sec)
{
	int64_t sec, date;

	if (!header_seconds_parse(value, &sec)) {
		if (!http_date_parse(value, now_sec, &date))
			return false;
		sec = date > now_sec ? date - now_sec : 0;
	}
	*ret_sec = sec < HEADER_RETRY_MAX_SEC ? sec : HEADER_RETRY_MAX_SEC;
	return true;
}

/* ---- whole lines ----------------------------------------------------------------------------- */

bool header_line_is_sane(struct slice line)
{
	struct scan scan = { line.data, line.data + line.len };

	if (!take_while(&scan, is_token).len || !take(&scan, ':'))
		return false;
	for (; !scan_done(&scan); scan.at++)
		if ((*scan.at < ' ' && *scan.at != '\t') || *scan.at == 0x7f)
			return false;
	return true;
}

/* ---- Content-Range --------------------------------------------------------------------------- */

bool content_range_parse(struct slice value, struct content_range *ret)
{
	struct scan scan = scan_start(value);

	*ret = (struct content_range){ 0 };
	if (!slice_is(take_while(&scan, is_token), "bytes") || !take(&scan, ' '))
		return false;
	if (!take(&scan, '*')) {
		ret->has_range = true;
		if (!take_u64(&scan, UINT64_MAX, &ret->first) || !take(&scan, '-') ||
			!take_u64(&scan, UINT64_MAX, &ret->last) || ret->first > ret->last)
			return false;
	}
	if (!take(&scan, '/'))
		return false;
	if (!take(&scan, '*')) {
		ret->has_total = true;
		if (!take_u64(&scan, UINT64_MAX, &ret->total))
			return false;
	}
	if (!scan_done(&scan) || (!ret->has_range && !ret->has_total))
		return false;
	return !ret->has_range || !ret->has_total || ret->last < ret->total;
}

/* ---- ETag ------------------------------------------------------------------------------------ */

static bool is_etag_character(uint8_t c)
{
	return c == '!' || (c >= '#' && c != 0x7f);
}

bool etag_parse(struct slice value, struct etag *ret)
{
	struct scan scan = scan_start(value);

	*ret = (struct etag){ .whole = trimmed(value) };
	ret->weak = take_text(&scan, "W/");
	if (ret->whole.len > HEADER_ETAG_MAX || !take(&scan, '"'))
		return false;
	ret->opaque = take_while(&scan, is_etag_character);
	return take(&scan, '"') && scan_done(&scan);
}

bool etag_same(const struct etag *a, const struct etag *b)
{
	return !a->weak && !b->weak && a->opaque.len == b->opaque.len &&
	       (!a->opaque.len || memcmp(a->opaque.data, b->opaque.data, a->opaque.len) == 0);
}
