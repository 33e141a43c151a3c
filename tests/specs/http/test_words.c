/*
 * The HTTP registries as a server uses them: a word to its value, in a switch, and a value to how it is written.  What
 * all the words are is held against the RFCs by test_words.py, that all are found by tests/gen/test_words.py.
 */
#include <stdio.h>
#include <string.h>

#include "iana/http.h"

static unsigned passed, failed;

static struct mrg_span of(const char *text)
{
	return (struct mrg_span){ (const uint8_t *)text, strlen(text) };
}

static void verdict(bool good, const char *what)
{
	passed += good;
	failed += !good;
	if (!good)
		printf("FAILED %s\n", what);
}

static void value(unsigned got, unsigned want, const char *word) { verdict(got == want, word); }

static void written(struct mrg_span got, const char *want) { verdict(mrg_span_eq(got, of(want)), want); }

/* Every coding has its case, so that the compiler says when one is added. */
static const char *decoder(struct mrg_span coding)
{
	switch (mrg_http_coding_of(coding)) {
	case MRG_HTTP_CODING_GZIP: return "gzip";
	case MRG_HTTP_CODING_DEFLATE: return "zlib";
	case MRG_HTTP_CODING_BR: return "brotli";
	case MRG_HTTP_CODING_ZSTD: return "zstd";
	case MRG_HTTP_CODING_IDENTITY: return "";
	case MRG_HTTP_CODING_CHUNKED:
	case MRG_HTTP_CODING_TRAILERS: return "not of content";
	case MRG_HTTP_CODING_COMPRESS:
	case MRG_HTTP_CODING_AES128GCM:
	case MRG_HTTP_CODING_DCB:
	case MRG_HTTP_CODING_DCZ:
	case MRG_HTTP_CODING_EXI:
	case MRG_HTTP_CODING_PACK200_GZIP: return "known";
	case MRG_HTTP_CODING_UNKNOWN: return "415";
	}
	return "no value of the enum";
}

static void words(void)
{
	value(mrg_http_method_of(of("GET")), MRG_HTTP_METHOD_GET, "GET");
	value(mrg_http_method_of(of("VERSION-CONTROL")), MRG_HTTP_METHOD_VERSION_CONTROL, "VERSION-CONTROL");
	value(mrg_http_method_of(of("get")), MRG_HTTP_METHOD_UNKNOWN, "get"); /* RFC 9110 9.1: case counts */
	value(mrg_http_method_of(of("GETS")), MRG_HTTP_METHOD_UNKNOWN, "GETS");
	value(mrg_http_field_of(of("content-type")), MRG_HTTP_FIELD_CONTENT_TYPE, "content-type");
	value(mrg_http_field_of(of("CONTENT-LENGTH")), MRG_HTTP_FIELD_CONTENT_LENGTH, "CONTENT-LENGTH");
	value(mrg_http_field_of(of("Te")), MRG_HTTP_FIELD_TE, "Te");
	value(mrg_http_field_of(of("close")), MRG_HTTP_FIELD_CLOSE, "close");
	value(mrg_http_field_of(of("Content_Type")), MRG_HTTP_FIELD_UNKNOWN, "Content_Type");
	value(mrg_http_field_of(of("")), MRG_HTTP_FIELD_UNKNOWN, "no name");
	value(mrg_http_cache_directive_of(of("S-MaxAge")), MRG_HTTP_CACHE_DIRECTIVE_S_MAXAGE, "S-MaxAge");
	value(mrg_http_range_unit_of(of("bytes")), MRG_HTTP_RANGE_UNIT_BYTES, "bytes");
	value(mrg_http_auth_scheme_of(of("bearer")), MRG_HTTP_AUTH_SCHEME_BEARER, "bearer");
	value(mrg_http_expectation_of(of("100-Continue")), MRG_HTTP_EXPECTATION_CONTINUE, "100-Continue");
	value(mrg_http_upgrade_token_of(of("WebSocket")), MRG_HTTP_UPGRADE_TOKEN_WEBSOCKET, "WebSocket");
	value(mrg_http_media_type_of(of("jpg")), MRG_HTTP_MEDIA_TYPE_JPEG, "jpg");
	value(mrg_http_media_type_of(of("JPEG")), MRG_HTTP_MEDIA_TYPE_JPEG, "JPEG");
	value(mrg_http_media_type_of(of("mrg")), MRG_HTTP_MEDIA_TYPE_UNKNOWN, "mrg");
	value(mrg_http_status_of(of("not found")), 404, "not found");
	verdict(strcmp(decoder(of("x-gzip")), "gzip") == 0, "x-gzip");
	verdict(strcmp(decoder(of("snappy")), "415") == 0, "snappy");
}

static void texts(void)
{
	written(mrg_http_status_word(404), "Not Found");
	written(mrg_http_status_word(200), "OK");
	written(mrg_http_status_word(418), "");
	written(mrg_http_status_word(1000), "");
	written(mrg_http_method_word(MRG_HTTP_METHOD_OPTIONS), "OPTIONS");
	written(mrg_http_method_word(MRG_HTTP_METHOD_UNKNOWN), "");
	written(mrg_http_field_word(MRG_HTTP_FIELD_ETAG), "ETag");
	written(mrg_http_field_word(MRG_HTTP_FIELD_WWW_AUTHENTICATE), "WWW-Authenticate");
	written(mrg_http_coding_word(mrg_http_coding_of(of("X-GZIP"))), "gzip");
	written(mrg_http_media_type_word(mrg_http_media_type_of(of("htm"))), "text/html; charset=utf-8");
	written(mrg_http_media_type_word(MRG_HTTP_MEDIA_TYPE_OCTET_STREAM), "application/octet-stream");
}

int main(void)
{
	words();
	texts();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
