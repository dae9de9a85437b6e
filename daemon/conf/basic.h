/* What several parts of a configuration have in common. Part of conf.h. */
#ifndef EG_CONF_BASIC_H
#define EG_CONF_BASIC_H

#include <stdbool.h>
#include <stdint.h>

#define EG_CONF_NONE UINT32_MAX
#define EG_DOMAIN_TEXT 32 /* bytes of a domain, with the NUL */

enum eg_level { EG_LEVEL_NONE = 0, EG_LEVEL_NOTICE, EG_LEVEL_WARNING, EG_LEVEL_CRITICAL, EG_LEVEL_COUNT };
enum eg_mode { EG_MODE_COLLABORATIVE, EG_MODE_GAP_FILLING, EG_MODE_ALTERNATIVE, EG_MODE_COUNT };
enum eg_sector { EG_SECTOR_GOVERNMENT, EG_SECTOR_MARKET, EG_SECTOR_SOCIETY, EG_SECTOR_COUNT };
enum eg_language { EG_LANGUAGE_ZH_CN, EG_LANGUAGE_EN, EG_LANGUAGE_COUNT };
const char *eg_language_name(enum eg_language language);
const char *eg_level_name(enum eg_level level); /* "" for NONE, "notice" "warning" "critical" */
const char *eg_mode_name(enum eg_mode mode);
const char *eg_sector_name(enum eg_sector sector);
struct eg_conf_hours { /* local minutes of the day; from == to: none (quiet hours) or all day (a route) */
    int from, to;      /* over midnight where to < from */
};
bool eg_conf_hours_hold(const struct eg_conf_hours *hours, int minute); /* from == to: false */
#define EG_DAYS_ALL 0x7fu

#endif
