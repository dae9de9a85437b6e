/* What messages to parties say: the built-in texts, and those an administrator put in their place. Knows which placeholders there are;
 * what they stand for, daemon/pipeline/words.c knows. Called by settings.c and resolve.c. */
#include <conf/resolve.h>
#include <base/template.h>
#include <base/utf8.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define TEMPLATE_MAX 8192

const char *const eg_template_names[] = {"level",  "why",      "site",     "device",      "title",  "value",
                                         "limit",  "peak",     "since",    "now",         "action", "basis",
                                         "lead",   "others",   "due",      "note",        "actor",  "case",
                                         "number", "handling", "position", "acknowledge", NULL};

/* By language and kind. A message's first line is its title. */
static const char *const built_in[EG_LANGUAGE_COUNT][EG_TEMPLATE_COUNT] = {
    {"【{level}】{why}{site}{device}{title}{value}，{since}起，案件{number}\n",
     "【{level}】{why}{site} {title}\n"
     "地点：{site} {device} {position}\n"
     "情况：{title} {value}\n"
     "限值：{limit}\n"
     "峰值：{peak}\n"
     "开始：{since}\n"
     "处置：{action}\n"
     "依据：{basis}\n"
     "牵头：{lead}\n"
     "同时通知：{others}\n"
     "期限：{due}\n"
     "说明：{note}\n"
     "经手：{actor}\n"
     "案件：{number}（{case}）{handling}\n"
     "确认收到：{acknowledge}\n"},
    {"[{level}] {why}{site} {device}: {title} {value}, since {since} #{number}\n",
     "[{level}] {why}{site}: {title}\n"
     "Where: {site} {device} {position}\n"
     "What: {title} {value}\n"
     "Limit: {limit}\n"
     "Peak: {peak}\n"
     "Since: {since}\n"
     "To do: {action}\n"
     "Basis: {basis}\n"
     "Lead: {lead}\n"
     "Also told: {others}\n"
     "Due: {due}\n"
     "Note: {note}\n"
     "By: {actor}\n"
     "Case: {number} ({case}), {handling}\n"
     "Acknowledge: {acknowledge}\n"},
};

static const char *const kinds[EG_TEMPLATE_COUNT] = {"line", "message"};

/* A template's place in its file as a fault wants it; the fault stands at the key, the place in the sentence. */
static int line_of(const char *text, const char *at)
{
    int line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static const char *read_one(struct eg_resolve *resolve, const yaml_node_t *node, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return NULL;
    char text[TEMPLATE_MAX + 1] = "";
    size_t length = file ? fread(text, 1, sizeof text, file) : 0;
    bool readable = file && !ferror(file);
    if (file)
        fclose(file);
    if (!readable || length > TEMPLATE_MAX || strlen(text) != length || !eg_utf8_valid(text, length)) {
        eg_resolve_fault(resolve, node, "%.200s: %s", path,
                         !readable ? "cannot be read" : "is no UTF-8 text of at most 8192 bytes");
        return NULL;
    }
    const char *wrong = eg_template_check(text, eg_template_names);
    if (wrong)
        eg_resolve_fault(resolve, node, "%.200s, line %d: '%.*s' is no placeholder", path,
                         line_of(text, wrong), (int)strcspn(wrong, "}\n ") + 1, wrong);
    return wrong ? NULL : eg_resolve_text(resolve, text);
}

void eg_resolve_templates(struct eg_resolve *resolve, const char *folder)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    const yaml_node_t *node =
        folder ? eg_files_key(resolve->file, eg_files_root(resolve->file), "templates") : NULL;
    char path[PATH_MAX];
    for (int language = 0; language < EG_LANGUAGE_COUNT; language++)
        for (int kind = 0; kind < EG_TEMPLATE_COUNT; kind++) {
            const char *own = NULL;
            if (folder && resolve->loaded->from_disk &&
                snprintf(path, sizeof path, "%s/%s.%s.txt", folder, kinds[kind],
                         eg_language_name((enum eg_language)language)) < PATH_MAX)
                own = read_one(resolve, node, path);
            if (!folder || own)
                conf->templates[language][kind] = own ? own : built_in[language][kind];
        }
}
