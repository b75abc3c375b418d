/* struct http_options and who may know what, as options of libcurl. */
#include "store/fetch/http_setup.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

/* Used where the options say 0. */
#define CONNECT_SEC 20
#define SLOW_SEC    30
#define SLOW_BYTES  1024

/* ---- credentials ----------------------------------------------------------------------------- */

/* What the hop to its address brings along. What stands in the URL that was asked for is for its
 * host alone; what a redirect brings is for nobody. */
static struct fetch_auth credentials(const struct http_setup *self)
{
	const struct address *asked = self->asked, *address = self->address;

	if (asked->user && address_same_host(asked, address))
		return (struct fetch_auth){ .kind = FETCH_AUTH_BASIC,
			.user = xstrdup(asked->user),
			.password = xstrdup(asked->password ? asked->password : "") };
	if (self->options->auth && address->is_https)
		return fetch_auth_for(self->options->auth, address->host);
	return (struct fetch_auth){ .kind = FETCH_AUTH_NONE };
}

static void set_credentials(struct libcurl_options *set, const struct http_setup *setup)
{
	auto_fetch_auth struct fetch_auth known = credentials(setup);
	auto_free char *sigv4 = NULL;
	long how = CURLAUTH_BASIC;

	if (known.kind == FETCH_AUTH_NONE)
		return;
	if (known.kind == FETCH_AUTH_BEARER) {
		how = CURLAUTH_BEARER;
		libcurl_set_text(set, CURLOPT_XOAUTH2_BEARER, known.token);
	} else if (known.kind == FETCH_AUTH_SIGV4) {
		how = CURLAUTH_AWS_SIGV4;
		sigv4 = xasprintf("aws:amz:%s:s3", known.region);
		libcurl_set_text(set, CURLOPT_AWS_SIGV4, sigv4);
	}
	libcurl_set_number(set, CURLOPT_HTTPAUTH, how);
	if (known.kind == FETCH_AUTH_BEARER)
		return;
	libcurl_set_text(set, CURLOPT_USERNAME, known.user);
	libcurl_set_text(set, CURLOPT_PASSWORD, known.password);
}

/* ---- TLS ------------------------------------------------------------------------------------- */

/* Whether the TLS library looks up authorities in a folder by their hash, as OpenSSL does. GnuTLS
 * and others would read every file of it. */
static bool looks_up_by_hash(void)
{
	const char *library = libcurl.curl_version_info(CURLVERSION_NOW)->ssl_version;

	return library && str_has_prefix(library, "OpenSSL");
}

/* The folder of authorities that libcurl looks into unless it is told not to; NULL: none. */
static const char *system_folder(CURL *easy)
{
	char *folder = NULL;

	return libcurl.curl_easy_getinfo(easy, CURLINFO_CAPATH, &folder) ? NULL : folder;
}

/* The system has a folder with one file for each authority, named by a hash of its subject as
 * OpenSSL looks them up: the one file with all of them takes 20 times as long to read as the one
 * that is needed. */
bool http_looks_up_authority(CURL *easy, const struct http_setup *setup)
{
	const char *folder;

	if (setup->options->cacert || setup->all_authorities || !looks_up_by_hash())
		return false;
	folder = system_folder(easy);
	return folder && access(folder, X_OK) == 0;
}

static int check_pem(const char *path, const char *of, rkt_error **err)
{
	struct stat st;

	if (!path)
		return 0;
	if (access(path, R_OK) < 0 || stat(path, &st) < 0)
		return rkt_fail_errno(err, "%s cannot be read: %s", of, path);
	if (S_ISREG(st.st_mode) && !st.st_size)
		return rkt_fail(err, RKT_FAILED, "%s: %s is empty: a PEM file is wanted", of, path);
	return 0;
}

int http_check_files(const struct http_options *options, rkt_error **err)
{
	if (check_pem(options->cacert, "the file of CAs (--cacert or RKT_CACERT)", err) < 0 ||
		check_pem(options->certificate, "the certificate (--cert)", err) < 0)
		return -1;
	return check_pem(options->key, "the key of the certificate (--key)", err);
}

/* A proxy that is spoken to by TLS (https_proxy=https://...) is one like any other. */
static void set_proxy_tls(struct libcurl_options *set, const struct http_options *options)
{
	if (!(libcurl.curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTPS_PROXY))
		return;
	libcurl_set_number(set, CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	if (options->cacert)
		libcurl_set_text(set, CURLOPT_PROXY_CAINFO, options->cacert);
	if (options->cacert && system_folder(set->easy))
		libcurl_set_text(set, CURLOPT_PROXY_CAPATH, NULL);
	if (options->skip_tls_checks) {
		libcurl_set_number(set, CURLOPT_PROXY_SSL_VERIFYPEER, 0);
		libcurl_set_number(set, CURLOPT_PROXY_SSL_VERIFYHOST, 0);
	}
}

static void set_tls(struct libcurl_options *set, const struct http_setup *setup)
{
	const struct http_options *options = setup->options;

	libcurl_set_number(set, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	if (options->cacert || http_looks_up_authority(set->easy, setup))
		libcurl_set_text(set, CURLOPT_CAINFO, options->cacert);
	/* a file of one's own takes the place of the system's file only, not of the folder */
	if (options->cacert && system_folder(set->easy))
		libcurl_set_text(set, CURLOPT_CAPATH, NULL);
	set_proxy_tls(set, options);
	if (setup->is_named && options->certificate)
		libcurl_set_text(set, CURLOPT_SSLCERT, options->certificate);
	if (setup->is_named && options->key)
		libcurl_set_text(set, CURLOPT_SSLKEY, options->key);
	/* else OpenSSL would ask for one, in each thread, and read standard input for it */
	if (setup->is_named && options->certificate)
		libcurl_set_text(set, CURLOPT_KEYPASSWD, "");
	if (options->skip_tls_checks) {
		libcurl_set_number(set, CURLOPT_SSL_VERIFYPEER, 0);
		libcurl_set_number(set, CURLOPT_SSL_VERIFYHOST, 0);
	}
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void set_limits(struct libcurl_options *set, const struct http_options *options)
{
	libcurl_set_number(set, CURLOPT_CONNECTTIMEOUT, options->connect_sec ?: CONNECT_SEC);
	libcurl_set_number(set, CURLOPT_LOW_SPEED_TIME, options->slow_sec ?: SLOW_SEC);
	libcurl_set_number(set, CURLOPT_LOW_SPEED_LIMIT, options->slow_bytes ?: SLOW_BYTES);
	libcurl_set_text(set, CURLOPT_PROTOCOLS_STR, options->allow_http ? "https,http" : "https");
	libcurl_set_number(set, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
	libcurl_set_number(set, CURLOPT_NOSIGNAL, 1);
	libcurl_set_number(set, CURLOPT_BUFFERSIZE, 256L * 1024);
}

void http_set_up(struct libcurl_options *set, const struct http_setup *setup)
{
	set_tls(set, setup);
	set_limits(set, setup->options);
	set_credentials(set, setup);
}
