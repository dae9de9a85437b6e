/* Writes JSON text into an eg_buf: commas and escaping are its business, nesting the caller's. No spaces, no newline. */
#ifndef EG_JSON_H
#define EG_JSON_H
#include <base/buf.h>
#include <stdint.h>
#define EG_NUMBER_TEXT 40
struct eg_json {
    struct eg_buf *out;
    bool comma; /* the next value needs one before it */
};
void eg_json_init(struct eg_json *json, struct eg_buf *out);
void eg_json_open(struct eg_json *json, char bracket);  /* '{' or '[' */
void eg_json_close(struct eg_json *json, char bracket); /* '}' or ']' */
void eg_json_key(struct eg_json *json, const char *key);
void eg_json_string(struct eg_json *json, const char *text); /* NULL → null; invalid UTF-8 → U+FFFD */
void eg_json_string_n(struct eg_json *json, const char *text, size_t length);
void eg_json_int(struct eg_json *json, int64_t value);
void eg_json_number(struct eg_json *json,
                    double value); /* shortest text that reads back; not finite → null */
void eg_json_bool(struct eg_json *json, bool value);
void eg_json_null(struct eg_json *json);
void eg_json_time(struct eg_json *json, int64_t ms);           /* RFC 3339; EG_TIME_NONE → null */
void eg_json_raw(struct eg_json *json, const char *json_text); /* a whole value, already JSON */
/* The usual pairs. */
void eg_json_put_string(struct eg_json *json, const char *key, const char *text);
void eg_json_put_int(struct eg_json *json, const char *key, int64_t value);
void eg_json_put_number(struct eg_json *json, const char *key, double value);
void eg_json_put_bool(struct eg_json *json, const char *key, bool value);
void eg_json_put_time(struct eg_json *json, const char *key, int64_t ms);
/* The shortest decimal text that reads back to the same double ("35", "0.1", "1e-07"); gives `out` back. */
char *eg_number_format(double value, char out[EG_NUMBER_TEXT]);
#endif
