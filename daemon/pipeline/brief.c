/* A case in one line, in the reader's language: how bad, where, what, how much, since when, its number. Short enough for an SMS: names
 * are cut, the number never. Knows words; who reads them, tell.c knows. */
#include <pipeline/state.h>
#include <base/zone.h>

#include <stdio.h>
#include <string.h>

static const char *const words[EG_LANGUAGE_COUNT][EG_WHY_COUNT] = {
    {"", "升级", "再次超标", "恢复正常", "重新立案", "已结案"},
    {"", "got worse", "beyond the limit again", "back to normal", "reopened", "ended"},
};
static const char *const levels[EG_LANGUAGE_COUNT][EG_LEVEL_COUNT] = {
    {"", "提示", "警告", "严重"},
    {"", "notice", "warning", "critical"},
};

/* At most `most` bytes, without cutting a character in two. */
static int cut(const char *text, size_t most)
{
    size_t length = strlen(text);
    if (length > most)
        for (length = most; length && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    return (int)length;
}

static const char *site_name(const struct eg_conf *conf, const char *id)
{
    uint32_t site = eg_conf_site_find(conf, id, strlen(id));
    return site == EG_CONF_NONE ? id : conf->sites[site].name;
}

static const char *title_of(const struct eg_conf_rule *rule, const struct eg_quantity_info *info,
                            enum eg_language language)
{
    bool zh = language == EG_LANGUAGE_ZH_CN;
    const char *title = rule ? zh ? rule->title_zh : rule->title_en : "";
    if (!*title && rule)
        title = zh ? rule->title_en : rule->title_zh;
    return *title ? title : info->name;
}

void eg_brief_write(const struct eg_conf *conf, const struct eg_case *row, enum eg_why why,
                    enum eg_language language, char out[EG_BRIEF_TEXT])
{
    const struct eg_quantity_info *info = eg_quantity_info(row->quantity);
    const struct eg_conf_rule *rule = eg_conf_rule_find(conf, row->rule);
    char since[32], unit[EG_UNIT_TEXT], value[64];
    const char *site = site_name(conf, row->site), *title = title_of(rule, info, language),
               *word = words[language][why];
    snprintf(value, sizeof value, "%.*f %s", info->decimals, row->last_value,
             eg_conf_rule_unit(rule, row->quantity, unit));
    eg_zone_format(row->opened_ms, since);
    snprintf(out, EG_BRIEF_TEXT, "[%s]%s%s %.*s %.*s: %.*s %s, %s%s #%u", levels[language][row->level],
             *word ? " " : "", word, cut(site, 30), site, cut(row->device, 20), row->device, cut(title, 36),
             title, value, language == EG_LANGUAGE_ZH_CN ? "自" : "since ", since + 5, row->number);
}
