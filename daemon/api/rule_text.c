/* Knows how the text of one rule becomes a configuration. Refuses to know what is done with it. Called by m_backtest.c. */
#include <api/rule_text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE_TEXT_MAX ((size_t)1 << 20)
#define INDENT 4 /* of what stands under the first key */

static bool is_list(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '-';
}

static bool is_whole(const char *text)
{
    return strncmp(text, "rules:", 6) == 0 || strstr(text, "\nrules:");
}

/* "rule:12:7:" at the start of a fault; what stands behind it, or NULL: it has no place. */
static const char *place_of(const char *fault, unsigned long *ret_line, unsigned long *ret_column)
{
    char *end;
    if (strncmp(fault, "rule:", 5) != 0)
        return NULL;
    *ret_line = strtoul(fault + 5, &end, 10);
    if (*end != ':')
        return NULL;
    *ret_column = strtoul(end + 1, &end, 10);
    return *end == ':' ? end + 1 : NULL;
}

/* The faults with their places in the text as it was given, which compose() has shifted; a line each, the last without its end. */
static void put_faults(const char *text, const char *faults, struct eg_buf *out)
{
    bool shifted = !is_whole(text);
    size_t indent = is_list(text) ? 0 : INDENT;
    for (const char *at = faults; *at;) {
        unsigned long line, column;
        const char *behind = shifted ? place_of(at, &line, &column) : NULL;
        if (behind && line > 1) {
            eg_buf_printf(out, "rule:%lu:%lu:", line - 1, column > indent ? column - indent : 1);
            at = behind;
        }
        size_t length = strcspn(at, "\n");
        eg_buf_add(out, at, length);
        at += length + (at[length] == '\n');
        if (*at)
            eg_buf_add(out, "\n", 1);
    }
}

/* The text of a rule as a configuration of its own, with the sites that it may name; or an existing rule by its id. */
static bool compose(const struct eg_conf *conf, const char *text, struct eg_buf *out)
{
    struct eg_json json;
    bool list = is_list(text), whole = is_whole(text);
    if (!whole)
        eg_buf_printf(out, "rules:\n%s", list ? "" : "  - ");
    for (const char *at = text; *at;) { /* what follows a line's end stands under the rule's first key */
        size_t line = strcspn(at, "\n");
        eg_buf_add(out, at, line);
        eg_buf_add(out, "\n", 1);
        at += line + (at[line] == '\n');
        if (!whole && !list && *at)
            eg_buf_add(out, "    ", INDENT);
    }
    eg_buf_printf(out, "sites: ");
    eg_json_init(&json, out);
    eg_json_open(&json, '[');
    for (size_t i = 0; i < conf->site_count; i++) {
        const struct eg_conf_site *site = &conf->sites[i];
        eg_json_open(&json, '{');
        eg_json_put_string(&json, "id", site->id);
        if (site->parent != EG_CONF_NONE)
            eg_json_put_string(&json, "parent", conf->sites[site->parent].id);
        eg_json_close(&json, '}');
    }
    eg_json_close(&json, ']');
    eg_buf_printf(out, "\n");
    return !out->failed;
}

int eg_rule_text_parse(struct eg_call *call, const char *text, struct eg_conf **ret)
{
    struct eg_buf whole, faults, told;
    eg_buf_init(&whole, RULE_TEXT_MAX);
    eg_buf_init(&faults, RULE_TEXT_MAX);
    eg_buf_init(&told, RULE_TEXT_MAX);
    int code = 0;
    *ret = compose(call->desk->conf, text, &whole) ? eg_conf_parse("rule", whole.data, whole.length, &faults)
                                                   : NULL;
    if (!*ret && faults.length)
        put_faults(text, faults.data, &told);
    if (!*ret && faults.length && strstr(faults.data, "unknown key 'when'"))
        code = eg_call_fail(call, EG_RPC_PARAMS,
                            "That is a rule about devices: it looks at no readings, and cannot be tried over "
                            "those that are stored.");
    else if (!*ret)
        code = eg_call_fail(call, EG_RPC_PARAMS, "That is no rule: %.400s",
                            told.length ? told.data : "there is no memory for it.");
    else if ((*ret)->rule_count != 1) {
        code = eg_call_fail(call, EG_RPC_PARAMS, "%zu rules are given; one is tested at a time.",
                            (*ret)->rule_count);
        eg_conf_destroy(*ret);
        *ret = NULL;
    }
    eg_buf_finish(&whole);
    eg_buf_finish(&faults);
    eg_buf_finish(&told);
    return code;
}
