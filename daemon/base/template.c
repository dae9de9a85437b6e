/* Fills and checks texts with placeholders (template.h). Knows braces and lines, no names. Called by conf (checking) and the pipeline. */
#include <base/template.h>

#include <string.h>

/* At '{': the length of the name, or -1 where it is not closed on its line. */
static int name_length(const char *at)
{
    size_t length = strcspn(at + 1, "{}\n");
    return at[1 + length] == '}' && length ? (int)length : -1;
}

static bool is_one_of(const char *name, size_t length, const char *const *names)
{
    for (; *names; names++)
        if (strlen(*names) == length && !memcmp(*names, name, length))
            return true;
    return false;
}

const char *eg_template_check(const char *text, const char *const *names)
{
    for (const char *at = strchr(text, '{'); at; at = strchr(at, '{')) {
        if (at[1] == '{') {
            at += 2;
            continue;
        }
        int length = name_length(at);
        if (length < 0 || !is_one_of(at + 1, (size_t)length, names))
            return at;
        at += length + 2;
    }
    return NULL;
}

/* Where nothing is said, no blank is left before it, nor two of them. */
static void drop_blank(struct eg_buf *out, size_t begins, const char *next, const char *end)
{
    if (out->length > begins && out->data[out->length - 1] == ' ' && (next == end || *next == ' '))
        out->data[--out->length] = '\0';
}

/* One line, without its end; tells whether it had placeholders, and whether one of them had a value. */
static void fill_line(const char *line, size_t length, eg_template_value value, void *user,
                      struct eg_buf *out, bool *ret_any, bool *ret_filled)
{
    const char *end = line + length;
    const size_t begins = out->length;
    while (line < end) {
        size_t plain = strcspn(line, "{");
        if (plain > (size_t)(end - line))
            plain = (size_t)(end - line);
        eg_buf_add(out, line, plain);
        line += plain;
        if (line >= end)
            break;
        int name = line[1] == '{' ? -1 : name_length(line);
        if (name < 0) {
            eg_buf_add(out, line, 1);
            line += line[1] == '{' ? 2 : 1;
            continue;
        }
        const char *text = value(user, line + 1, (size_t)name);
        eg_buf_text(out, text);
        *ret_any = true;
        *ret_filled = *ret_filled || *text;
        line += name + 2;
        if (!*text && !out->failed)
            drop_blank(out, begins, line, end);
    }
}

void eg_template_fill(const char *text, eg_template_value value, void *user, struct eg_buf *out)
{
    while (*text) {
        size_t length = strcspn(text, "\n"), before = out->length;
        bool any = false, filled = false;
        fill_line(text, length, value, user, out, &any, &filled);
        if (any && !filled && out->length >= before) {
            out->length = before;
            if (out->data)
                out->data[before] = '\0';
        } else if (text[length]) {
            eg_buf_add(out, "\n", 1);
        }
        text += length + (text[length] == '\n');
    }
}
