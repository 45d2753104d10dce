/* What both forms of access-log do: one line of a web server's access log, Common or Combined Log Format, to one of
 * JSON.
 *
 *   192.0.2.1 - ada [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://example.org/" "Mozilla/5.0"
 *
 * becomes
 *
 *   {"host":"192.0.2.1","ident":null,"user":"ada","time":"2000-10-10T13:55:36-07:00","method":"GET","path":"/a.gif",
 *    "protocol":"HTTP/1.0","status":200,"bytes":2326,"referer":"http://example.org/","user_agent":"Mozilla/5.0"}
 *
 * on one line. "-" becomes null. A request that is not three words is kept whole, as "request". Text stays as the
 * server wrote it, its own backslashes included. The last two fields are there if the line has them. */
#pragma once

#include "../common/bytes.h"

/* Why a line cannot be read. */
typedef struct {
  const char* what;
  size_t at; /* byte of the line, from 0 */
} access_log_error_t;

typedef struct {
  const uint8_t* bytes;
  size_t size;
  size_t at;
  access_log_error_t* error;
} access_log_cursor_t;

typedef struct {
  const uint8_t* bytes;
  size_t size;
} access_log_field_t;

static inline bool access_log_fail(access_log_cursor_t* in, const char* what, size_t at) {
  *in->error = (access_log_error_t){what, at};
  return false;
}

static inline bool access_log_take(access_log_cursor_t* in, uint8_t byte, const char* what) {
  if (in->at >= in->size || in->bytes[in->at] != byte) return access_log_fail(in, what, in->at);
  in->at++;
  return true;
}

/* The bytes up to a blank, at least one. */
static inline bool access_log_word(access_log_cursor_t* in, access_log_field_t* out, const char* what) {
  const size_t start = in->at;
  while (in->at < in->size && in->bytes[in->at] != ' ') in->at++;
  *out = (access_log_field_t){in->bytes + start, in->at - start};
  return out->size > 0 || access_log_fail(in, what, start);
}

/* The bytes between two quotes; a backslash keeps the next byte from ending it. */
static inline bool access_log_quoted(access_log_cursor_t* in, access_log_field_t* out, const char* what) {
  const size_t quote = in->at;
  if (!access_log_take(in, '"', what)) return false;
  const size_t start = in->at;
  while (in->at < in->size && in->bytes[in->at] != '"') in->at += in->bytes[in->at] == '\\' ? 2 : 1;
  if (in->at >= in->size) return access_log_fail(in, "a quote is not closed", quote);
  *out = (access_log_field_t){in->bytes + start, in->at - start};
  in->at++;
  return true;
}

/* `count` digits, of a value in [min, max]. */
static inline bool access_log_digits(access_log_cursor_t* in, size_t count, unsigned min, unsigned max,
                                     const char* what) {
  const size_t start = in->at;
  unsigned value = 0;
  for (; in->at < start + count; in->at++) {
    if (in->at >= in->size || in->bytes[in->at] < '0' || in->bytes[in->at] > '9')
      return access_log_fail(in, what, start);
    value = value * 10 + (in->bytes[in->at] - '0');
  }
  return (value >= min && value <= max) || access_log_fail(in, what, start);
}

/* "[10/Oct/2000:13:55:36 -0700]" to "2000-10-10T13:55:36-07:00". */
static inline bool access_log_time(access_log_cursor_t* in, bytes_t* out) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  static const char date[] = "the time is not [day/month/year:hour:minute:second zone]";
  if (!access_log_take(in, '[', date)) return false;
  const uint8_t* const at = in->bytes + in->at;
  if (!access_log_digits(in, 2, 1, 31, date) || !access_log_take(in, '/', date)) return false;
  unsigned month = 0;
  if (in->size - in->at >= 3) {
    while (month < 12 && memcmp(in->bytes + in->at, months + 3 * month, 3) != 0) month++;
  }
  if (in->size - in->at < 3 || month == 12) return access_log_fail(in, "unknown month", in->at);
  month++;
  in->at += 3;
  if (!access_log_take(in, '/', date) || !access_log_digits(in, 4, 0, 9999, date) || !access_log_take(in, ':', date) ||
      !access_log_digits(in, 2, 0, 23, date) || !access_log_take(in, ':', date) ||
      !access_log_digits(in, 2, 0, 59, date) || !access_log_take(in, ':', date) ||
      !access_log_digits(in, 2, 0, 60, date) || !access_log_take(in, ' ', date)) {
    return false;
  }
  if (in->at >= in->size || (in->bytes[in->at] != '+' && in->bytes[in->at] != '-'))
    return access_log_fail(in, date, in->at);
  in->at++;
  if (!access_log_digits(in, 2, 0, 23, date) || !access_log_digits(in, 2, 0, 59, date) ||
      !access_log_take(in, ']', date)) {
    return false;
  }
  /* All places are known now: dd/Mmm/yyyy:hh:mm:ss +hhmm */
  const uint8_t month_digits[2] = {(uint8_t)('0' + month / 10), (uint8_t)('0' + month % 10)};
  bytes_add_text(out, ",\"time\":\"");
  bytes_add(out, at + 7, 4);
  bytes_add_byte(out, '-');
  bytes_add(out, month_digits, 2);
  bytes_add_byte(out, '-');
  bytes_add(out, at, 2);
  bytes_add_byte(out, 'T');
  bytes_add(out, at + 12, 8);
  bytes_add(out, at + 21, 3);
  bytes_add_byte(out, ':');
  bytes_add(out, at + 24, 2);
  bytes_add_byte(out, '"');
  return true;
}

/* The first byte that does not belong to well-formed UTF-8, or `size`. */
static inline size_t access_log_utf8_end(const uint8_t* bytes, size_t size) {
  size_t at = 0;
  while (at < size) {
    const uint8_t first = bytes[at];
    if (first < 0x80) {
      at++;
      continue;
    }
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size - at < length) return at;
    /* The second byte has a narrower range after some first ones: no overlong forms, no surrogates, nothing past
     * U+10FFFF. */
    const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[at + 1] < low || bytes[at + 1] > high) return at;
    for (size_t i = 2; i < length; ++i) {
      if ((bytes[at + i] & 0xc0) != 0x80) return at;
    }
    at += length;
  }
  return size;
}

static inline void access_log_add_text(bytes_t* out, const char* name, access_log_field_t field) {
  bytes_add_text(out, name);
  if (field.size == 1 && field.bytes[0] == '-') {
    bytes_add_text(out, "null");
    return;
  }
  bytes_add_byte(out, '"');
  for (size_t i = 0; i < field.size; ++i) {
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    static const char hex[] = "0123456789abcdef";
    const uint8_t byte = field.bytes[i];
    const char* const found = byte == 0 ? NULL : strchr(named, byte);
    if (found != NULL) {
      const uint8_t escape[2] = {'\\', (uint8_t)names[found - named]};
      bytes_add(out, escape, sizeof escape);
    } else if (byte < 0x20) {
      const uint8_t escape[6] = {'\\', 'u', '0', '0', (uint8_t)hex[byte >> 4], (uint8_t)hex[byte & 15]};
      bytes_add(out, escape, sizeof escape);
    } else {
      bytes_add_byte(out, byte);
    }
  }
  bytes_add_byte(out, '"');
}

/* Three words, or the whole of it. */
static inline void access_log_add_request(bytes_t* out, access_log_field_t request) {
  access_log_field_t words[3] = {{0}};
  size_t count = 0;
  size_t start = 0;
  for (size_t i = 0; i <= request.size; ++i) {
    if (i < request.size && request.bytes[i] != ' ') continue;
    if (count < 3) words[count] = (access_log_field_t){request.bytes + start, i - start};
    count++;
    start = i + 1;
  }
  if (count != 3 || words[0].size == 0 || words[1].size == 0 || words[2].size == 0) {
    access_log_add_text(out, ",\"request\":", request);
    return;
  }
  access_log_add_text(out, ",\"method\":", words[0]);
  access_log_add_text(out, ",\"path\":", words[1]);
  access_log_add_text(out, ",\"protocol\":", words[2]);
}

/* Appends the JSON of one line, which may end in "\n" or "\r\n", to `out`. False: `error` says why not, and `out` has
 * no more than it had. */
static inline bool access_log_convert(const uint8_t* line, size_t size, bytes_t* out, access_log_error_t* error) {
  if (size > 0 && line[size - 1] == '\n') size--;
  if (size > 0 && line[size - 1] == '\r') size--;
  access_log_cursor_t in = {line, size, 0, error};
  const size_t utf8_end = access_log_utf8_end(line, size);
  if (utf8_end < size) return access_log_fail(&in, "not UTF-8", utf8_end);

  const size_t before = out->len;
  access_log_field_t host, ident, user, request, bytes, referer, agent;
  static const char blank[] = "a blank is missing";
  if (!access_log_word(&in, &host, "no host") || !access_log_take(&in, ' ', blank) ||
      !access_log_word(&in, &ident, "no ident") || !access_log_take(&in, ' ', blank) ||
      !access_log_word(&in, &user, "no user") || !access_log_take(&in, ' ', blank)) {
    return false;
  }
  access_log_add_text(out, "{\"host\":", host);
  access_log_add_text(out, ",\"ident\":", ident);
  access_log_add_text(out, ",\"user\":", user);
  if (!access_log_time(&in, out) || !access_log_take(&in, ' ', blank) ||
      !access_log_quoted(&in, &request, "the request is not in quotes") || !access_log_take(&in, ' ', blank)) {
    goto failed;
  }
  access_log_add_request(out, request);

  const size_t status = in.at;
  if (!access_log_digits(&in, 3, 100, 999, "the status is not three digits") || !access_log_take(&in, ' ', blank))
    goto failed;
  bytes_add_text(out, ",\"status\":");
  bytes_add(out, line + status, 3);

  const size_t bytes_at = in.at;
  static const char no_number[] = "the size is not a number or -";
  if (!access_log_word(&in, &bytes, no_number)) goto failed;
  bytes_add_text(out, ",\"bytes\":");
  if (bytes.size == 1 && bytes.bytes[0] == '-') {
    bytes_add_text(out, "null");
  } else {
    const bool leading_zero = bytes.size > 1 && bytes.bytes[0] == '0'; /* JSON has none */
    bool good = !leading_zero && bytes.size < 20;
    for (size_t i = 0; i < bytes.size; ++i) good = good && bytes.bytes[i] >= '0' && bytes.bytes[i] <= '9';
    if (!good) {
      access_log_fail(&in, no_number, bytes_at);
      goto failed;
    }
    bytes_add(out, bytes.bytes, bytes.size);
  }

  if (in.at < in.size) {
    if (!access_log_take(&in, ' ', blank) || !access_log_quoted(&in, &referer, "the referer is not in quotes") ||
        !access_log_take(&in, ' ', blank) || !access_log_quoted(&in, &agent, "the user agent is not in quotes")) {
      goto failed;
    }
    access_log_add_text(out, ",\"referer\":", referer);
    access_log_add_text(out, ",\"user_agent\":", agent);
    if (in.at < in.size) {
      access_log_fail(&in, "more than the Combined Log Format has", in.at);
      goto failed;
    }
  }
  bytes_add_text(out, "}\n");
  return true;

failed:
  out->len = before;
  return false;
}

/* "no host at byte 0" */
static inline bytes_t access_log_error_text(const access_log_error_t* error) {
  bytes_t text = {0};
  bytes_add_text(&text, error->what);
  bytes_add_text(&text, " at byte ");
  bytes_add_number(&text, error->at);
  return text;
}
